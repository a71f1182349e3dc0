"""The stack of template.yaml on one machine."""

from __future__ import annotations
