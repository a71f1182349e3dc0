"""What keeps the stack from running here."""

from __future__ import annotations


class CannotRun(Exception):
    """The stack cannot come up, or cannot stay up; the message is all that a person needs to put it right."""
