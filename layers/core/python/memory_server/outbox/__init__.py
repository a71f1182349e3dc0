"""The transactional outbox: events that are written with the change they tell of."""

from __future__ import annotations
