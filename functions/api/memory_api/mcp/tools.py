"""What a tool is, and how one is made of a function over typed arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import GenerateJsonSchema

from memory_api.errors import invalid_arguments
from memory_api.mcp.session import Session
from plugin_kit.json_types import JsonObject, JsonValue

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a tool answers, as text for a model to read and as JSON for a program; ``failed`` where it is an error."""

    text: str
    structured: JsonObject | None
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a client may know of a tool before it lets a model call it."""

    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False
    open_world: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool. ``scope`` is what the caller's credential must have; the schemas are JSON Schemas."""

    name: str
    title: str
    description: str
    scope: str
    hints: Hints
    input_schema: JsonObject
    output_schema: JsonObject | None
    run: Callable[[Session, JsonObject], Awaitable[Answer]]


def tool(
    run: Callable[[Session, A], Awaitable[Answer]],
    *,
    name: str,
    title: str,
    description: str,
    scope: Literal["memories:read", "memories:write"],
    hints: Hints,
    arguments: type[A],
    answer: type[BaseModel],
) -> Tool:
    """Return the tool that calls ``run`` with checked ``arguments`` and answers what ``answer`` describes."""

    async def checked(session: Session, given: JsonObject) -> Answer:
        try:
            values = arguments.model_validate(given)
        except ValidationError as error:
            raise invalid_arguments(error) from error
        return await run(session, values)

    return Tool(
        name=name,
        title=title,
        description=description,
        scope=scope,
        hints=hints,
        input_schema=_schema(arguments, "validation"),
        output_schema=_schema(answer, "serialization"),
        run=checked,
    )


class _Terse(GenerateJsonSchema):
    """Without titles that say a field's name again: every agent reads the schemas of all tools."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  # the signature is pydantic's
        return False


def _schema(model: type[BaseModel], mode: Literal["validation", "serialization"]) -> JsonObject:
    schema = cast("dict[str, JsonValue]", model.model_json_schema(mode=mode, schema_generator=_Terse))
    definitions = cast("dict[str, dict[str, JsonValue]]", schema.get("$defs", {}))
    for part in (schema, *definitions.values()):
        for word in ("title", "description", "examples"):
            part.pop(word, None)
    return schema
