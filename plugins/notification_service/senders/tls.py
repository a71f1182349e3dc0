"""Why a connection could not be encrypted."""

from __future__ import annotations

import ssl


def reason(error: BaseException) -> str:
    """Return what is the matter, in a sentence that holds no credential."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not to be trusted: {error.verify_message}"
    return "the TLS handshake failed: does the receiver speak TLS at this port?"
