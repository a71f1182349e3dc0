"""What the server runs on: SAM templates, and the same stack on one machine in local/."""

from __future__ import annotations
