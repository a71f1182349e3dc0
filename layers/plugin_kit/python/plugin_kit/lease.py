"""How long an answer about a plugin's enable state holds. The host and ``disable`` keep to the same figure."""

from __future__ import annotations

from typing import Final

LEASE_SECONDS: Final = 0.25
"""A host starts no hook on an older answer; ``disable`` answers this long after its write. So none starts after it."""
