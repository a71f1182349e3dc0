"""What becomes of the events of a plugin: its status, its deliveries, a test, and replays."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from memory_api import cursor
from memory_api.auth import PluginAdmin
from memory_api.dependencies import PluginDeliveries, PluginId, PluginReplays, PluginStatus
from memory_api.problems import problems
from memory_api.schemas.plugin_deliveries import DeliveryList, DeliveryOut, DeliveryParameters, TestOut, TestRequest
from memory_api.schemas.plugin_replay import AcceptedReplay, ReplayRequest
from memory_api.schemas.plugin_status import PluginStatusOut

router = APIRouter(prefix="/plugins", tags=["plugins"])


@router.get("/status/{plugin_id}", responses=problems(404, 422, 503))
async def get_plugin_status(_: PluginAdmin, plugin_id: PluginId, status: PluginStatus) -> PluginStatusOut:
    """Tell how a plugin does: its health, its deliveries, its last error, what waits for it, and its last replay."""
    return PluginStatusOut.of(await status.status(plugin_id))


@router.get("/{plugin_id}/deliveries", responses=problems(404, 422, 503))
async def list_plugin_deliveries(
    _: PluginAdmin,
    plugin_id: PluginId,
    parameters: Annotated[DeliveryParameters, Query()],
    deliveries: PluginDeliveries,
) -> DeliveryList:
    """List the deliveries of the last seven days from new to old, a page at a time: each attempt is one.

    A page with few deliveries of the result that is asked for may end before its limit; next_cursor leads on.
    """
    page = await deliveries.list(plugin_id, result=parameters.result, after=parameters.cursor, limit=parameters.limit)
    return DeliveryList(
        deliveries=[DeliveryOut.model_validate(delivery) for delivery in page.deliveries],
        next_cursor=None if page.next is None else cursor.encode_text(page.next),
    )


@router.post("/{plugin_id}/test", responses=problems(404, 413, 415, 422, 503))
async def test_plugin(
    caller: PluginAdmin, plugin_id: PluginId, body: TestRequest, deliveries: PluginDeliveries
) -> TestOut:
    """Run a hook of a plugin on a sample event now, and tell what it did; a hook that fails is an answer too.

    The hook runs for real, as in an event of yours: what it changes stays. It runs where the plugin is disabled too. No
    statistics count it, and nothing tries it again.
    """
    return TestOut.model_validate(await deliveries.test(plugin_id, caller, body.hook, body.args))


@router.post("/{plugin_id}/replay", status_code=202, responses=problems(404, 409, 413, 415, 422, 503))
async def replay_to_plugin(
    _: PluginAdmin, plugin_id: PluginId, body: ReplayRequest, replays: PluginReplays
) -> AcceptedReplay:
    """Give a plugin events again, and no other plugin: its dead letters, or what happened in a range of time.

    It begins at once and goes on until it is done; the plugin's status shows how far it is. What the plugin has handled
    before has no second effect, unless force asks for it.
    """
    replay, dead = await replays.start(plugin_id, body.source, since=body.since, until=body.until, force=body.force)
    return AcceptedReplay.accepted(replay, dead)
