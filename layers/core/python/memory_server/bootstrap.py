"""The composition root: the one place that names concrete classes. Each function builds what it needs, and no more."""

from __future__ import annotations
