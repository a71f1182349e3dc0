"""What can go wrong in the notification service. No message holds a credential, or the content of a memory."""

from __future__ import annotations


class NotificationError(Exception):
    """Base of every error of this plugin. ``status`` is the HTTP status with which an endpoint answers it."""

    status = 422


class InvalidSettings(NotificationError):
    """A channel or a rule is not one that can work; the message names the field and the fix."""


class NotFound(NotificationError):
    """The user has nothing under this id."""

    status = 404


class KeyMissing(NotificationError):
    """The operator has set no key, or another one than that with which a channel was sealed."""

    status = 409


class DeliveryFailed(NotificationError):
    """The receiver did not take the message. It is sent again, after ``retry_after`` seconds or more."""

    status = 502

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class DeliveryRefused(DeliveryFailed):
    """The message must not be sent, or could not be sent at any time: it is not tried again."""


class ChannelGone(DeliveryFailed):
    """The receiver wants nothing of this channel any more (410): the channel is switched off."""
