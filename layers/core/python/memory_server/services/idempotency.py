"""What makes two requests the same request, whatever the order of their fields."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

from memory_server.domain.memories import MemoryDraft


def fingerprint(operation: str, drafts: Sequence[MemoryDraft]) -> bytes:
    """Return the SHA-256 of the request to do ``operation`` with ``drafts`` (32 bytes)."""
    request = {"operation": operation, "drafts": [asdict(draft) for draft in drafts]}
    return hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).digest()
