"""What an endpoint answers is JSON of a bounded size, or a response that HTTP has a form for."""

from __future__ import annotations

import math
from types import ModuleType
from typing import cast

import pytest

from plugin_kit.context import Context
from plugin_kit.endpoints import match, response_of
from plugin_kit.errors import HookFailed
from plugin_kit.json_types import JsonValue
from plugin_kit.models import EndpointRequest, EndpointResponse
from plugin_kit.testing import fire_endpoint


@pytest.mark.parametrize("answer", [{"days": [1, 2]}, [], "text", 3, None, True])
def test_a_json_value_is_the_body(answer: JsonValue) -> None:
    assert response_of(answer) == EndpointResponse(body=answer)


def test_a_text_may_have_a_content_type_of_its_own() -> None:
    csv = EndpointResponse(body="day,count\n", content_type="text/csv; charset=utf-8", headers={"X-Rows": "0"})
    assert response_of(csv) is csv


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (object(), "what is not JSON: Object of type object"),
        ({"score": math.nan}, "what is not JSON: Out of range float values"),
        ({(1, 2): 3}, "what is not JSON: keys must be str"),
        ("x" * 5_000_000, r"answered 5\.0 MB: answer at most 5 MB"),
        (EndpointResponse(status=42), "the status 42: answer one from 200 to 599"),
        (EndpointResponse(body={"a": 1}, content_type="text/html"), "a dict as text/html, not a text"),
        (EndpointResponse(headers={"X-A": "1\r\nSet-Cookie: b"}), "the header X-A with .*: answer a text of one line"),
        (EndpointResponse(headers={"X-A": "1 \u20ac"}), "the header X-A with .*: answer a text of one line"),
        (EndpointResponse(headers={"content-type": "text/html"}), "answer it as content_type"),
        (EndpointResponse(headers={"X A": "1"}), "a header named 'X A'"),
        (EndpointResponse(headers=cast("dict[str, str]", {"X-A": 1})), "the header X-A with 1"),
        (EndpointResponse(body="a", content_type="text/html\n"), "the content type"),
    ],
)
def test_nonsense_is_refused_and_says_what_it_was(answer: object, message: str) -> None:
    with pytest.raises(HookFailed, match=message):
        response_of(answer)


def test_a_structure_that_holds_itself_is_refused() -> None:
    answer: list[object] = []
    answer.append(answer)
    with pytest.raises(HookFailed, match="what is not JSON"):
        response_of(answer)


def test_a_path_gives_its_placeholders_values() -> None:
    assert match("/counts/{day}/{hook}", "/counts/2026-11-22/all") == {"day": "2026-11-22", "hook": "all"}
    assert match("/a.b", "/a.b") == {}
    assert match("/a.b", "/axb") is None
    assert match("/counts/{day}", "/counts/a/b") is None


async def summary(request: EndpointRequest, context: Context) -> JsonValue:
    return {"day": request.path_params["day"], "limit": request.query["limit"], "user": context["user_id"]}


def plugin() -> ModuleType:
    made = ModuleType("plugin")
    endpoint = {"method": "GET", "path": "/counts/{day}", "handler": "summary", "summary": "Counts of a day"}
    made.__dict__["PLUGIN_INFO"] = {
        "name": "P",
        "version": "1.0",
        "description": "d",
        "author": "a",
        "hooks": [],
        "endpoints": [endpoint],
    }
    made.__dict__["summary"] = summary
    return made


async def test_an_endpoint_can_be_fired_in_a_test() -> None:
    response = await fire_endpoint(plugin(), "GET", "/counts/today", query={"limit": "3"})
    assert response.body == {"day": "today", "limit": "3", "user": "local"}


async def test_an_endpoint_that_is_not_there_cannot_be_fired() -> None:
    with pytest.raises(LookupError, match="the plugin has no endpoint POST /counts/today"):
        await fire_endpoint(plugin(), "POST", "/counts/today")
