"""The built-in plugins, one folder each."""

from __future__ import annotations
