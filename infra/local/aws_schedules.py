"""What EventBridge Scheduler writes into a target's input in place of its context attributes, which ministack leaves.

This runs inside the emulator's process; see ``aws_state``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import cast

Target = Mapping[str, object]
Invoke = Callable[[Target, Mapping[str, object], Mapping[str, object], object], None]


def fill_in_schedules() -> None:
    """Let each call of a schedule have its own id and time, as on AWS."""
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
