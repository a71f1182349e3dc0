"""The endpoints of rules."""

from __future__ import annotations

from typing import cast

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject
from plugin_kit.models import EndpointRequest, EndpointResponse

from .answers import Answer, answering
from .rule_store import RuleStore
from .rules import Rule

_NOT_SETTINGS = ("id", "channel_id", "created_at")


@answering
async def create_rule(request: EndpointRequest, context: Context) -> Answer:
    body = dict(cast(JsonObject, request.body))
    channel_id = str(body.pop("channel_id"))
    Rule.of(body)
    return EndpointResponse(status=201, body=await _store(context).add(channel_id, body))


@answering
async def list_rules(request: EndpointRequest, context: Context) -> Answer:
    return {"rules": await _store(context).all()}


@answering
async def get_rule(request: EndpointRequest, context: Context) -> Answer:
    return await _store(context).get(request.path_params["id"])


@answering
async def change_rule(request: EndpointRequest, context: Context) -> Answer:
    """Set what the body has; null takes a setting away."""
    rule_id, store = request.path_params["id"], _store(context)
    changed = {**await store.get(rule_id), **cast(JsonObject, request.body)}
    settings = {key: value for key, value in changed.items() if key not in _NOT_SETTINGS and value is not None}
    Rule.of(settings)
    return await store.replace(rule_id, settings)


@answering
async def delete_rule(request: EndpointRequest, context: Context) -> Answer:
    await _store(context).delete(request.path_params["id"])
    return {"deleted": True}


def _store(context: Context) -> RuleStore:
    return RuleStore(context["database_service"], str(context["user_id"]))
