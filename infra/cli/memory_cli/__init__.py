"""The command ``memory-server``: for those who write plugins, and those who run the server."""

from __future__ import annotations
