"""The one door from a plugin back to the server: who calls, what it may do, and for whom."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeAlias

from memory_server.domain.errors import (
    AnswerTooLarge,
    InvalidRequest,
    MemoryServerError,
    PermissionDenied,
    PluginNotFound,
)
from memory_server.domain.events import caused_by, new_id
from memory_server.domain.grants import Grant, verify
from memory_server.domain.principals import Principal
from memory_server.services.events import Events
from memory_server.services.plugin_ports import PluginRegistry
from memory_server.services.ports import Clock
from plugin_kit.json_types import JsonObject, JsonValue, dumps

PERMISSIONS_LIFETIME: Final = timedelta(seconds=5)
# Lambda answers with at most 6 MB; some room is for the words around the value.
MAX_ANSWER_BYTES: Final = 6_000_000 - 1024

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UserOperation:
    """What a plugin does with a user's data: it takes a grant, and acts for the grant's user alone.

    Here and below, what ``keeps`` may store what is the user's, so it is not done for one who was erased.
    """

    permissions: tuple[str, ...]
    run: Callable[[Principal, JsonObject], Awaitable[JsonValue]]
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class GrantOperation:
    """What a plugin or its host does because of an event, by the plugin's id and the event's grant.

    The grant may be one that is no user's.
    """

    run: Callable[[str, Grant, JsonObject], Awaitable[JsonValue]]
    permissions: tuple[str, ...] = ()
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class OwnOperation:
    """What a plugin does with what is its own, by its id: it needs no grant, so ``initialize`` may do it too."""

    permissions: tuple[str, ...]
    run: Callable[[str, JsonObject], Awaitable[JsonValue]]
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class ApartOperation:
    """What a plugin does with what it has for each user apart, by its id and the user of its event, if it is one's."""

    permissions: tuple[str, ...]
    run: Callable[[str, str | None, JsonObject], Awaitable[JsonValue]]
    keeps: bool = False


Operation: TypeAlias = UserOperation | GrantOperation | OwnOperation | ApartOperation


class Users(Protocol):
    """The users whom plugins act for."""

    def present(self, user_id: str, since: datetime) -> AbstractAsyncContextManager[None]:
        """Keep the user from being erased for as long as the context lasts.

        Raises:
            UserErased: they were erased at ``since`` or later.
            Unavailable: nobody can tell.
        """
        ...


class Gateway:
    """Answers the calls of plugins."""

    def __init__(
        self,
        registry: PluginRegistry,
        users: Users,
        operations: Mapping[str, Operation],
        events: Events,
        grant_key: bytes,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._users = users
        self._operations = operations
        self._events = events
        self._grant_key = grant_key
        self._clock = clock
        self._permissions: dict[str, tuple[datetime, tuple[str, ...]]] = {}

    def known_operation(self, request: JsonObject) -> str:
        """Return the name of the operation that ``request`` asks for, if there is one of that name: for the log."""
        name = str(request.get("operation"))
        return name if name in self._operations else "unknown"

    async def answer(self, plugin_id: str | None, request: JsonObject) -> dict[str, JsonValue]:
        """Return ``{"ok": value}``, or ``{"error": {"type", "message"}}`` with a message for the plugin's author.

        ``plugin_id`` is the caller's, from where it cannot be forged; None is refused.
        """
        try:
            value = await self._call(plugin_id, request)
        except PermissionDenied as error:
            return _error("PermissionRefused", str(error))
        except AnswerTooLarge as error:
            return _error("AnswerTooLarge", str(error))
        except MemoryServerError as error:
            return _error("ServiceFailed", str(error))
        except Exception:
            # What went wrong inside is for the logs alone.
            error_id = new_id()
            logger.exception("the call of plugin %s failed: error %s", plugin_id, error_id)
            return _error("ServiceFailed", f"the server failed: its logs tell more of error {error_id}")
        finally:
            await self._events.flush()
        return {"ok": value}

    async def _call(self, plugin_id: str | None, request: JsonObject) -> JsonValue:
        if plugin_id is None:
            raise PermissionDenied("the call names no plugin: call through the alias plugin-<id>")
        name = request.get("operation")
        operation = self._operations.get(str(name))
        if operation is None:
            raise InvalidRequest.of("operation", f"{name!r} is unknown: there are {', '.join(self._operations)}")
        for permission in operation.permissions:
            await self._check_permission(plugin_id, str(name), permission)
        arguments = request.get("arguments", {})
        if not isinstance(arguments, Mapping):
            raise InvalidRequest.of("arguments", "must be an object")
        value = await self._run(plugin_id, operation, arguments, request.get("grant"))
        if len(dumps(value).encode()) > MAX_ANSWER_BYTES:
            raise AnswerTooLarge.of("arguments", "the answer would be over 6 MB: ask for less at once")
        return value

    async def _run(self, plugin_id: str, operation: Operation, arguments: JsonObject, token: JsonValue) -> JsonValue:
        text = token if isinstance(token, str) else None
        if text is None and isinstance(operation, OwnOperation | ApartOperation):
            return await _own(operation, plugin_id, None, arguments)
        try:
            grant = verify(text, self._grant_key, plugin_id=plugin_id, now=self._clock.now())
        except PermissionDenied:
            if not isinstance(operation, OwnOperation):
                raise
            return await operation.run(plugin_id, arguments)  # as in ``cleanup``, long after the last event
        if not operation.keeps or grant.user_id is None:
            return await _act(operation, plugin_id, grant, arguments)
        async with self._users.present(grant.user_id, grant.since):
            return await _act(operation, plugin_id, grant, arguments)

    async def _check_permission(self, plugin_id: str, operation: str, permission: str) -> None:
        if permission not in await self._permissions_of(plugin_id):
            raise PermissionDenied(
                f"{operation} needs the permission {permission!r}: add it to PLUGIN_INFO['permissions'] of "
                f"plugin {plugin_id!r} and deploy it again"
            )

    async def _permissions_of(self, plugin_id: str) -> Sequence[str]:
        """Return the permissions with which the plugin is registered, at most 5 s old."""
        # By the time of day: a monotonic clock may stand still while Lambda has the environment frozen.
        now = self._clock.now()
        asked_at, permissions = self._permissions.get(plugin_id, (None, ()))
        if asked_at is None or not timedelta(0) <= now - asked_at < PERMISSIONS_LIFETIME:
            try:
                permissions = (await self._registry.get(plugin_id)).permissions
            except PluginNotFound:
                raise PermissionDenied(f"plugin {plugin_id!r} is not registered: deploy it again") from None
            self._permissions[plugin_id] = (now, permissions)
        return permissions


async def _act(operation: Operation, plugin_id: str, grant: Grant, arguments: JsonObject) -> JsonValue:
    if isinstance(operation, GrantOperation):
        return await operation.run(plugin_id, grant, arguments)
    if isinstance(operation, UserOperation):
        user_id = user_of(grant)
        with caused_by((*grant.caused_by, plugin_id)):
            return await operation.run(Principal(user_id), arguments)
    return await _own(operation, plugin_id, grant.user_id, arguments)


async def _own(
    operation: OwnOperation | ApartOperation, plugin_id: str, user_id: str | None, arguments: JsonObject
) -> JsonValue:
    if isinstance(operation, OwnOperation):
        return await operation.run(plugin_id, arguments)
    return await operation.run(plugin_id, user_id, arguments)


def user_of(grant: Grant) -> str:
    """Return whose data the grant gives leave for.

    Raises:
        PermissionDenied: nobody's.
    """
    if grant.user_id is None:
        raise PermissionDenied("the event is no user's: a user's data can be reached in that user's events alone")
    return grant.user_id


def _error(kind: str, message: str) -> dict[str, JsonValue]:
    return {"error": {"type": kind, "message": message}}
