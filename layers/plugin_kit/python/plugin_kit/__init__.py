"""All that a plugin's Lambda needs. Tiny and fast to import: the standard library, Powertools and boto3."""

from __future__ import annotations

from typing import Final

__version__: Final = "0.1.0"
