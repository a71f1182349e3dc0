"""Asks for a memory of another user, with its own grant and with forged ones."""

from __future__ import annotations

import base64
import json
import os
import time

import boto3

PLUGIN_INFO = {
    "name": "Reads memories",
    "version": "1.0.0",
    "description": "Asks for a memory of another user",
    "author": "The tests",
    "hooks": ["memory_created"],
    "permissions": ["memory:read"],
}


async def memory_created(memory, context):
    foreign, user = memory.metadata["foreign"], memory.metadata["user"]
    found = [item.id for item in await context["memory_service"].list(limit=100)]
    if foreign in found:
        return
    claims = {"event": context["metadata"]["event_id"], "user": user, "plugins": ["reads_others_memories"]}
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "exp": int(time.time()) + 1000}).encode()).rstrip(b"=")
    answers = []
    try:
        answers.append(await context["memory_service"].get(foreign))
    except Exception as error:  # noqa: BLE001  # whatever it is, it is told
        answers.append(f"own: {error}")
    for name, grant in {"forged": f"{forged.decode()}.{'A' * 43}", "unsigned": forged.decode(), "none": None}.items():
        request = {"operation": "memory.get", "arguments": {"memory_id": foreign}, "grant": grant}
        answer = boto3.client("lambda").invoke(
            FunctionName=os.environ["GATEWAY_ALIAS_ARN"], Payload=json.dumps(request)
        )
        content = json.loads(answer["Payload"].read())
        if content.get("ok"):
            return
        answers.append(f"{name}: {content['error']['message']}")
    raise PermissionError("; ".join(map(str, answers)))
