"""The composition root: the one place that names concrete classes. Each function builds what it needs, and no more.

Imports stand inside the builders: a function's package brings what its own builder imports, and it starts the sooner.
"""

from __future__ import annotations

from memory_server.bootstrap.functions import gateway, registrar, relay
from memory_server.bootstrap.http_api import Api, api
from memory_server.bootstrap.parts import embedder, local_embedder
from memory_server.bootstrap.sign_in import keys
from memory_server.bootstrap.transfers import transfers

__all__ = ["Api", "api", "embedder", "gateway", "keys", "local_embedder", "registrar", "relay", "transfers"]
