"""The endpoints of channels."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject
from plugin_kit.models import EndpointRequest, EndpointResponse

from .answers import Answer, answering
from .channel_store import ChannelStore
from .channels import Channel, Kind, name_of, target_of, throttle_of
from .composing import compose
from .delivery import network_of, send
from .errors import DeliveryFailed
from .notices import Notice
from .sealing import Sealer
from .templates import Template


@answering
async def create_channel(request: EndpointRequest, context: Context) -> Answer:
    body = cast(JsonObject, request.body)
    kind, settings = cast(Kind, body["kind"]), cast(JsonObject, body["settings"])
    target, identifier = target_of(kind, settings), str(uuid4())
    channel = Channel(
        id=identifier,
        user_id=str(context["user_id"]),
        name=name_of(str(body["name"])),
        kind=kind,
        target=target,
        sealed=Sealer.of(context).seal(settings, identifier),
        throttle=throttle_of(cast("JsonObject | None", body.get("throttle"))),
        enabled=True,
        disabled_reason=None,
        created_at="",
    )
    return EndpointResponse(status=201, body=(await _store(context).add(channel)).to_dict())


@answering
async def list_channels(request: EndpointRequest, context: Context) -> Answer:
    return {"channels": [channel.to_dict() for channel in await _store(context).all()]}


@answering
async def get_channel(request: EndpointRequest, context: Context) -> Answer:
    return (await _channel(request, context)).to_dict()


@answering
async def change_channel(request: EndpointRequest, context: Context) -> Answer:
    body, channel = cast(JsonObject, request.body), await _channel(request, context)
    if "name" in body:
        channel = replace(channel, name=name_of(str(body["name"])))
    if "throttle" in body:
        channel = replace(channel, throttle=throttle_of(cast(JsonObject, body["throttle"])))
    if "settings" in body:
        settings = cast(JsonObject, body["settings"])
        target = target_of(channel.kind, settings)
        channel = replace(channel, target=target, sealed=Sealer.of(context).seal(settings, channel.id))
    if "enabled" in body:
        enabled = bool(body["enabled"])
        channel = replace(channel, enabled=enabled, disabled_reason=None if enabled else "switched off by its user")
    return (await _store(context).replace(channel)).to_dict()


@answering
async def delete_channel(request: EndpointRequest, context: Context) -> Answer:
    await _store(context).delete(request.path_params["id"])
    return {"deleted": True}


@answering
async def test_channel(request: EndpointRequest, context: Context) -> Answer:
    """Send a message to the channel now, whatever its throttle and its state, and answer what came of it."""
    channel = await _channel(request, context)
    notice = Notice(
        hook="test",
        occurred_at=datetime.now(UTC).isoformat(),
        project=None,
        content=f"The channel {channel.name} works.",
    )
    message = compose(str(uuid4()), [notice], Template(), digest=False)
    try:
        await send(network_of(context), Sealer.of(context), channel, message)
    except DeliveryFailed as error:
        return {"delivered": False, "error": str(error)}
    return {"delivered": True, "error": None}


def _store(context: Context) -> ChannelStore:
    return ChannelStore(context["database_service"], str(context["user_id"]))


async def _channel(request: EndpointRequest, context: Context) -> Channel:
    return await _store(context).get(request.path_params["id"])
