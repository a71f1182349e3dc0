"""Deliveries to a plugin in requests and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from memory_api.cursor import TextCursor
from memory_api.schemas.fields import Name, check_object
from memory_api.schemas.memories import Body
from memory_server.services.delivery_ports import DeliveryResult
from plugin_kit.hooks import CATALOGUE

MAX_DELIVERIES: Final = 100
MAX_ARGS_BYTES: Final = 512 * 1024

Arguments: TypeAlias = Annotated[dict[str, JsonValue], BeforeValidator(check_object(MAX_ARGS_BYTES))]


class DeliveryParameters(Body):
    """The query string of a list of deliveries."""

    result: DeliveryResult | None = Field(None, description="Only these. dropped: the plugin was disabled.")
    limit: Annotated[int, Field(ge=1, le=MAX_DELIVERIES)] = 20
    cursor: TextCursor | None = Field(None, description="next_cursor of the page before.")


class DeliveryOut(BaseModel):
    """One attempt to deliver an event to a plugin."""

    model_config = ConfigDict(from_attributes=True)

    event_id: str
    hook: str = Field(description="The hook, or the schedule.")
    result: DeliveryResult
    attempt: int = Field(description="1 for the first; after the fifth an event is a dead letter.")
    at: datetime
    milliseconds: int | None = Field(description="For how long the hook ran; null where it did not run to an end.")
    error: str | None


class DeliveryList(BaseModel):
    """A page of deliveries."""

    deliveries: list[DeliveryOut]
    next_cursor: str | None


class TestRequest(Body):
    """Which hook to try, on which arguments."""

    __test__ = False
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"hook": "memory_created", "args": {"memory": {"content": "The deploy key is in the vault."}}}]
        }
    )

    hook: Name = Field(description=f"One of the plugin's hooks, of: {', '.join(CATALOGUE)}.")
    args: Arguments = Field(
        {}, description="In place of the sample's arguments, by name; of a memory, the fields that differ."
    )


class TestOut(BaseModel):
    """What a plugin did with a sample event."""

    __test__ = False
    model_config = ConfigDict(from_attributes=True)

    event_id: str
    hook: str
    outcome: Literal["delivered", "failed"]
    milliseconds: int | None = Field(description="For how long the hook ran; null where it failed.")
    returned: JsonValue
    logs: list[str] = Field(description="The lines that it wrote.")
    error: str | None = Field(description="Why it failed.")
