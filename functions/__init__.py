"""Entry points only: each handler fits on one screen."""

from __future__ import annotations
