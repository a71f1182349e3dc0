"""Use cases. They know nothing of HTTP, AWS or SQL; what they need stands in ports.py."""

from __future__ import annotations
