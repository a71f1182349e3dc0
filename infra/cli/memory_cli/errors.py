"""What ends a command: its message is all that a person needs."""

from __future__ import annotations

import click


class Failed(click.ClickException):
    """The thing failed: the command ends with exit code 1."""

    exit_code = 1
