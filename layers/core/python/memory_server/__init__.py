"""The memory server: domain, services and adapters, for every function of the server itself."""

from __future__ import annotations
