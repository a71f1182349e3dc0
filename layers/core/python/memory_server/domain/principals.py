"""Who makes a request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """The user that a credential stands for. It comes from the credential, never from a body or a parameter."""

    user_id: str


LOCAL = Principal("local")
