"""What can go wrong between a plugin and the server. Every message says what to do."""

from __future__ import annotations


class PluginError(Exception):
    """Base of every error that the kit raises."""


class EnvelopeError(PluginError):
    """An event is not one that this version of the kit can read."""


class InvalidPlugin(PluginError):
    """A plugin breaks its contract: ``faults`` lists each fault with the fix."""

    def __init__(self, plugin_id: str, faults: list[str]) -> None:
        self.plugin_id = plugin_id
        self.faults = faults
        super().__init__(f"plugin {plugin_id!r} is refused:\n" + "\n".join(f"- {fault}" for fault in faults))


class PermissionRefused(PluginError):
    """The gateway refused a call: the plugin's PLUGIN_INFO does not list the permission that the call needs."""


class ServiceFailed(PluginError):
    """A context service could not do what the plugin asked; the message says why."""


class AnswerTooLarge(ServiceFailed):
    """What the plugin asked for is more than one answer holds: ask for less at once."""


class FileChanged(ServiceFailed):
    """A file of the plugin's is not what was written: the storage's own checksum says so, and will say so again."""


class HookFailed(PluginError):
    """A plugin's function raised, or did not end in time. The message is ``type: message`` of what it raised.

    ``milliseconds`` is how long it ran, where it ran.
    """

    def __init__(self, message: str, milliseconds: int | None = None) -> None:
        self.milliseconds = milliseconds
        super().__init__(message)


class InitializeFailed(PluginError):
    """A plugin's ``initialize`` raised, or did not end in time."""


class NoSuchHandler(PluginError):
    """No endpoint of the plugin has the handler that was asked for."""


class PluginDisabled(PluginError):
    """The plugin was disabled before its hook could start; the event is dropped."""


class UserErased(PluginError):
    """The user of an event was erased after what led to it; the event is dropped."""


class NoTimeLeft(PluginError):
    """The records before this one took all the time of the invocation; it is tried again at once."""


class OutOfTime(BaseException):
    """Raised in plugin code that blocks its thread beyond its time; no ``except Exception`` of the plugin holds it."""
