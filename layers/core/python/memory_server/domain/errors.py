"""Every error that a client can meet. HTTP and MCP map these classes in one place each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from memory_server.domain.quotas import QuotaName


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request: ``path`` leads to the field, ``message`` says what would be right."""

    path: tuple[str | int, ...]
    message: str


class MemoryServerError(Exception):
    """Base of all errors of the domain. The message is for the client and says what to do."""


class InvalidRequest(MemoryServerError):
    """One or more fields are wrong; nothing was stored or changed."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{'.'.join(map(str, fault.path)) or 'body'}: {fault.message}" for fault in faults))

    @classmethod
    def of(cls, field: str, message: str) -> Self:
        """Return the error for one wrong ``field``."""
        return cls([Fault((field,), message)])


class NoSuchFile(InvalidRequest):
    """A file of a plugin's is named that is not there."""


class AnswerTooLarge(InvalidRequest):
    """What was asked for is more than one answer holds; who asks for less at once gets it."""


class Unauthenticated(MemoryServerError):
    """A request carries no credential, or one that is not right. The message does not say what is wrong with it."""

    def __init__(self, *, given: bool = True) -> None:
        self.given = given
        super().__init__(
            "this credential is not valid: send Authorization: Bearer with an API key or an access token that is"
            if given
            else "sign in: send the header Authorization: Bearer with an API key or an access token"
        )


class InsufficientScope(MemoryServerError):
    """The credential is right, and does not let its holder do this; ``scope`` would."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        super().__init__(f"the credential has not the scope {scope}: use one that has it")


class OutsideProject(MemoryServerError):
    """The credential is for one project, and the request reaches beyond it."""

    def __init__(self, project: str) -> None:
        super().__init__(f"the credential is for the project {project!r} alone: name that project, or none")


class TooManyRequests(MemoryServerError):
    """The user, or their key, has asked as often as it may: ``quota`` times in this minute."""

    def __init__(self, quota: int, retry_after: int) -> None:
        self.quota = quota
        self.retry_after = retry_after
        super().__init__(f"{quota:,} requests a minute are permitted: send this one again in {retry_after} seconds")


class QuotaExceeded(MemoryServerError):
    """The user has as much as they may have: ``quota`` names what of, ``place`` the first memory that is too much.

    ``used`` is what was there before the request, None where the caller may not know.
    """

    def __init__(self, quota: QuotaName, *, allowed: int, used: int | None, place: int | None = None) -> None:
        self.quota: Final = quota
        self.allowed = allowed
        self.used = used
        self.place = place
        what = "memories" if quota == "memories" else "bytes of memories"
        there = "" if used is None else f", {used:,} are there"
        super().__init__(
            f"a user may have {allowed:,} {what}{there}, and this would be too much; nothing was stored: delete "
            "memories that are not needed any more and send this again, or ask who runs the server for more"
        )


class KeyNotFound(MemoryServerError):
    """There is no API key of that id."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"there is no API key {key_id!r}: GET /keys names the keys that are there")


class ExportNotFound(MemoryServerError):
    """The user has no export of that id, or no more."""

    def __init__(self, export_id: str) -> None:
        super().__init__(
            f"there is no export {export_id}: one is kept for a day, GET /me/exports names those there are"
        )


class MemoryNotFound(MemoryServerError):
    """The user has no memory of that id."""

    def __init__(self, memory_id: str) -> None:
        super().__init__(f"there is no memory {memory_id}: check the id, or search for the memory")


class VersionConflict(MemoryServerError):
    """The memory has changed since the version that the client named."""

    def __init__(self, memory_id: str, expected: int, actual: int) -> None:
        self.actual = actual
        super().__init__(
            f"memory {memory_id} is at version {actual}, not {expected}: get it again, then repeat the change"
        )


class DuplicateContent(MemoryServerError):
    """Changing the content would make two memories of one project the same."""

    def __init__(self, memory_id: str) -> None:
        self.memory_id = memory_id
        super().__init__(f"memory {memory_id} of the same project already has this content: delete one of the two")


class IdempotencyKeyReused(MemoryServerError):
    """An Idempotency-Key came again with another request."""

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was used for a different request: send a new key with a new request")


class PluginNotFound(MemoryServerError):
    """No plugin of that id is registered."""

    def __init__(self, plugin_id: str) -> None:
        super().__init__(f"there is no plugin {plugin_id!r}: GET /plugins/list names the plugins that are there")


class PluginNotEnabled(MemoryServerError):
    """The plugin is off, and answers nothing."""

    def __init__(self, plugin_id: str) -> None:
        super().__init__(f"plugin {plugin_id!r} is off: POST /plugins/enable/{plugin_id} switches it on")


class ReplayRunning(MemoryServerError):
    """The plugin's last replay is not done."""

    def __init__(self, plugin_id: str) -> None:
        super().__init__(f"a replay of plugin {plugin_id!r} is not done: GET /plugins/status/{plugin_id} shows it")


class EndpointNotFound(MemoryServerError):
    """The plugin has no endpoint of that path; ``endpoints`` are those that it has."""

    def __init__(self, plugin_id: str, endpoints: Sequence[str]) -> None:
        self.endpoints = tuple(endpoints)
        names = f"it has {', '.join(endpoints)}" if endpoints else "it has none"
        super().__init__(f"plugin {plugin_id!r} has no endpoint at this path: {names}")


class EndpointMethodNotAllowed(MemoryServerError):
    """The path is an endpoint's of the plugin, for other methods: those ``allowed``."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self.allowed = tuple(allowed)
        super().__init__(f"this path takes {', '.join(allowed)}")


class EndpointFailed(MemoryServerError):
    """A plugin did not answer a request to its endpoint, or answered nonsense. What it was stands in the log."""

    def __init__(self, plugin_id: str, error_id: str, what: str = "failed") -> None:
        self.plugin_id = plugin_id
        self.error_id = error_id
        super().__init__(f"plugin {plugin_id!r} {what}: the server's log tells more under the error_id")


class EndpointTimedOut(EndpointFailed):
    """A plugin did not answer a request to its endpoint in time."""

    def __init__(self, plugin_id: str, error_id: str) -> None:
        super().__init__(plugin_id, error_id, "did not answer in time")


class SecretNotFound(MemoryServerError):
    """The plugin does not say that it has a secret of that name."""

    def __init__(self, plugin_id: str, name: str, declared: Sequence[str]) -> None:
        names = f"it names {', '.join(declared)}" if declared else "it names none"
        super().__init__(f"PLUGIN_INFO of plugin {plugin_id!r} names no secret {name!r}: {names}")


class PluginFailed(MemoryServerError):
    """A plugin's own code failed: it raised, crashed, or did not end in time. The message is the plugin's reason.

    ``kind`` is the type of error that the plugin's host names, ``logs`` what the plugin logged on the way.
    """

    def __init__(self, reason: str, *, kind: str = "FunctionFailed", logs: Sequence[str] = ()) -> None:
        self.kind = kind
        self.logs = tuple(logs)
        super().__init__(reason)


class PluginRefused(MemoryServerError):
    """A plugin cannot be enabled and stays off. The message is the plugin's reason."""


class PermissionDenied(MemoryServerError):
    """A plugin called for something that its PLUGIN_INFO does not ask for, or outside an event of its own."""


class UserErased(PermissionDenied):
    """A plugin acts for a user who was erased after what led to it. Nothing is kept."""

    def __init__(self) -> None:
        super().__init__("the event's user was erased after what led to it: let it go, it does not come again")


class Unavailable(MemoryServerError):
    """A part that the request needs does not answer now; nothing was lost, the request can be sent again."""

    def __init__(self, component: str, *, retry_after: int = 5) -> None:
        self.component = component
        self.retry_after = retry_after
        super().__init__(f"the {component} does not answer: send the request again in {retry_after} seconds")
