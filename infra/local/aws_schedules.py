"""What ministack does not know of EventBridge Scheduler: the context attributes in inputs, and groups in policies.

This runs inside the emulator's process; see ``aws_state``.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeAlias, cast

Target: TypeAlias = Mapping[str, object]
Invoke: TypeAlias = Callable[[Target, Mapping[str, object], Mapping[str, object], object], None]
Parameters: TypeAlias = Mapping[str, object]
ResourceArn: TypeAlias = Callable[[str, str, str, object, bytes, Parameters, str, str], str]


def complete_schedules() -> None:
    """Let schedules be called as on AWS, and be named in policies as on AWS."""
    _fill_in_inputs()
    _name_groups()


def _fill_in_inputs() -> None:
    """Give each call of a schedule an id and a time of its own."""
    eventbridge = vars(importlib.import_module("ministack.services.eventbridge"))
    invoke = cast(Invoke, eventbridge["_invoke_target"])

    def invoke_filled_in(
        target: Target, event: Mapping[str, object], rule: Mapping[str, object], view: object = None
    ) -> None:
        if event.get("Source") == "aws.scheduler" and "Input" in target:
            target = {**target, "Input": _filled_in(str(target["Input"]), event)}
        invoke(target, event, rule, view)

    eventbridge["_invoke_target"] = invoke_filled_in


def _filled_in(text: str, event: Mapping[str, object]) -> str:
    time = datetime.fromtimestamp(cast(float, event["Time"]), UTC)
    attributes = {
        "execution-id": str(event["EventId"]),
        "scheduled-time": time.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _name_groups() -> None:
    """Let the resource of a request be the schedule in its group, where ministack takes every group for the default."""
    actions = vars(importlib.import_module("ministack.core.iam_actions"))
    resource_arn = cast(ResourceArn, actions["extract_resource_arn"])

    def arn_with_group(  # what it takes the place of has them all
        service: str,
        method: str,
        path: str,
        headers: object,
        body: bytes,
        parameters: Parameters,
        region: str,
        account: str,
    ) -> str:
        arn = resource_arn(service, method, path, headers, body, parameters, region, account)
        if service != "scheduler":
            return arn
        return arn.replace(":schedule/default/", f":schedule/{_group(body, parameters)}/")

    actions["extract_resource_arn"] = arn_with_group


def _group(body: bytes, parameters: Parameters) -> str:
    """Return the group that a request names: in its body, or in its query where it has none."""
    asked = cast("Mapping[str, str]", json.loads(body)) if body else cast("Mapping[str, str]", {})
    given = parameters.get("groupName", "default")
    return asked.get("GroupName") or str(cast("list[str]", given)[0] if isinstance(given, list) else given)
