"""What the gateway asks of the function of bulk transfers, and its JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TypeAlias, cast

from plugin_kit.context import Conflict
from plugin_kit.json_types import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The plugin that asks, and for whom. Its task ``then`` gets ``arguments`` and what became of the transfer.

    ``caused_by`` are the plugins whose acts led to the event in which it asks, ``since`` is when it all began.
    """

    plugin_id: str
    user_id: str
    since: datetime
    caused_by: tuple[str, ...]
    then: str
    arguments: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRequest:
    """Read the memories that fit ``where``, the API's filter in JSON, into parts below ``transfer_id``."""

    caller: Caller
    transfer_id: str
    where: JsonObject
    history: bool = False
    embeddings: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """Store the memories of the plugin's files ``parts``, once for ``key``."""

    caller: Caller
    key: str
    parts: tuple[str, ...]
    conflict: Conflict = "skip"
    project: str | None = None
    dry_run: bool = False


TransferRequest: TypeAlias = SnapshotRequest | LoadRequest


def to_json(request: TransferRequest) -> dict[str, JsonValue]:
    """Return the JSON of ``request``."""
    values = asdict(request)
    values["caller"]["since"] = request.caller.since.isoformat()
    return {"kind": "snapshot" if isinstance(request, SnapshotRequest) else "load", **values}


def from_json(value: JsonObject) -> TransferRequest:
    """Return the request that ``to_json`` wrote as ``value``."""
    values = {name: item for name, item in value.items() if name != "kind"}
    caller = cast("Mapping[str, JsonValue]", values.pop("caller"))
    causes = tuple(cast("Sequence[str]", caller["caused_by"]))
    since = datetime.fromisoformat(str(caller["since"]))
    made = Caller(**{**caller, "caused_by": causes, "since": since})  # pyright: ignore[reportArgumentType]  # to_json wrote them
    if value["kind"] == "snapshot":
        return SnapshotRequest(caller=made, **values)  # pyright: ignore[reportArgumentType]  # to_json wrote them
    values["parts"] = tuple(cast("Sequence[str]", values["parts"]))
    return LoadRequest(caller=made, **values)  # pyright: ignore[reportArgumentType]  # to_json wrote them
