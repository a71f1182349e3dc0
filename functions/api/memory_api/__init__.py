"""The HTTP door of the server: routes, schemas and the one place where errors become answers."""

from __future__ import annotations
