"""Asking a process of this machine how it is."""

from __future__ import annotations

import http.client
from typing import Final

HOST: Final = "127.0.0.1"


def get(port: int, path: str, host: str = HOST) -> tuple[int, str] | None:
    """Return the status and the body with which ``path`` is answered on ``port``, None where nobody answers."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
