"""The handler of every plugin's Lambda."""

from __future__ import annotations
