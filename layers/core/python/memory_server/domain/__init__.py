"""Pure types and rules. Nothing here does I/O."""

from __future__ import annotations
