"""Compression and encryption: zstd, then a message of the AWS Encryption SDK bound to what it is a part of."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final, Protocol, cast

from .faults import Damaged, KeyFailed

FRAME_BYTES: Final = 1 << 20
"""The frames of a message, each authenticated: large ones cost less time, and one is in memory twice."""

_ADVICE: Final = "a key of AWS KMS must be enabled, and the plugin deployed with its ARN as KmsKeyArn"


class Seal:
    """One key: what is sealed with it opens with it alone, and with the same context alone.

    ``name`` says which key it is, and nothing about it. ``keyring`` is one of the AWS Cryptographic Material Providers.
    """

    def __init__(self, name: str, keyring: object) -> None:
        self.name = name
        self._keyring = keyring
        self._client = _client()

    def seal(self, data: bytes, context: Mapping[str, str], level: int = 3) -> bytes:
        """Return ``data`` compressed with zstd at ``level``, and encrypted.

        Raises:
            KeyFailed: the key does not encrypt.
        """
        import zstandard
        from aws_encryption_sdk.identifiers import AlgorithmSuite

        compressed = zstandard.ZstdCompressor(level=level, write_checksum=True).compress(data)
        try:
            sealed, _ = self._client.encrypt(
                source=compressed,
                keyring=self._keyring,
                encryption_context=dict(context),
                frame_length=FRAME_BYTES,
                # Without a signature: who can open a backup can make one, as with any symmetric key.
                algorithm=AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
            )
        except Exception as error:  # what AWS KMS refuses has no base class
            raise KeyFailed(f"the key {self.name} does not encrypt: {_reasons(error)}: {_ADVICE}") from error
        return sealed

    def open(self, sealed: bytes, context: Mapping[str, str], limit: int) -> bytes:
        """Return what was sealed, at most ``limit`` bytes.

        Raises:
            KeyFailed: the key, the context or the message is not that with which it was sealed, or AWS KMS refuses.
            Damaged: what was sealed is no zstd, or longer.
        """
        import zstandard

        try:
            compressed, _ = self._client.decrypt(source=sealed, keyring=self._keyring, encryption_context=dict(context))
        except Exception as error:  # what a broken message ends in has no base class
            raise KeyFailed(f"the key {self.name} does not decrypt: {_reasons(error)}: {_ADVICE}") from error
        try:
            size = zstandard.get_frame_parameters(compressed).content_size
            if size > limit:
                raise Damaged(f"it would unpack to {size} bytes and not to {limit}: restore another backup")
            return zstandard.ZstdDecompressor().decompress(compressed, max_output_size=limit)
        except zstandard.ZstdError as error:
            raise Damaged(f"it does not unpack ({error}): restore another backup") from error


def _reasons(error: BaseException) -> str:
    """Return what the SDK says, and what AWS KMS said to it."""
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    inner = [one for cause in causes for one in cast("list[object]", getattr(cause, "list", ()))]
    texts = [str(error), *(str(getattr(one, "ComAmazonawsKms", one)) for one in inner)]
    return " ".join(dict.fromkeys(text.strip() for text in texts if text.strip())) or type(error).__name__


class _Client(Protocol):
    """What is used of aws_encryption_sdk.EncryptionSDKClient, which has no types."""

    def encrypt(self, **named: object) -> tuple[bytes, object]: ...

    def decrypt(self, **named: object) -> tuple[bytes, object]: ...


def _client() -> _Client:
    import aws_encryption_sdk
    from aws_encryption_sdk.identifiers import CommitmentPolicy

    # It logs a traceback for each message that does not open, on top of the error that it raises.
    logging.getLogger("aws_encryption_sdk").setLevel(logging.CRITICAL)
    policy = CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    client = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=policy, max_encrypted_data_keys=1)
    return cast(_Client, client)
