"""What keeps a backup or a restore from being done. Every message says what is wrong and what to do."""

from __future__ import annotations


class Fault(Exception):
    """Base of what trying again would not change."""


class Damaged(Fault):
    """A backup is not what was written: something of it is missing, cut off, exchanged or changed."""


class KeyUnknown(Fault):
    """The key is not there with which to encrypt, or with which a backup was encrypted."""


class KeyFailed(Exception):
    """The key is known and does not do its work now, such as one of AWS KMS that is disabled or denied."""


class SnapshotLost(Fault):
    """What the server read for a backup is gone, or is not what it said."""


class Refused(Exception):
    """A request that the plugin does not do. ``status`` is that of HTTP."""

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        self.detail = detail
        super().__init__(detail)
