"""The tools over memories, in both eras."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from memory_server.domain.events import new_id
from tests.fixtures.embedder_function import EmbedderFunction
from tests.integration.api.agent import Agent

READS: Final = {"search_memories", "get_memory", "list_memories", "search", "fetch"}
DRAFT: Final[dict[str, Any]] = {
    "content": "We chose PostgreSQL for billing.",
    "memory_type": "decision",
    "project": "billing",
    "tags": ["database"],
    "importance": 0.8,
    "metadata": {"ticket": "BILL-12"},
}


def test_a_memory_is_stored_found_read_changed_and_deleted(agent: Agent) -> None:
    stored = agent.call("store_memory", **DRAFT)
    assert (stored["created"], stored["version"]) == (True, 1)

    found = agent.call("search_memories", query="Which database does billing use?", project="billing")
    assert (found["omitted"], found["note"]) == (0, None)
    [hit] = found["results"]
    assert 0 < hit["score"] <= 1
    assert {name: hit["memory"][name] for name in DRAFT} == DRAFT
    assert (hit["memory"]["id"], hit["memory"]["cut"]) == (stored["id"], [])

    read = agent.call("get_memory", memory_id=stored["id"])
    assert (read["memory"], read["next_offset"], read["note"]) == (hit["memory"], None, None)

    changed = agent.call("update_memory", memory_id=stored["id"], importance=0.9, project=None)
    assert changed == {"id": stored["id"], "version": 2}
    after = agent.call("get_memory", memory_id=stored["id"])["memory"]
    assert (after["importance"], after["project"], after["content"]) == (0.9, None, DRAFT["content"])

    assert agent.call("delete_memory", memory_id=stored["id"]) == {"id": stored["id"]}
    assert agent.call("list_memories")["memories"] == []


def test_the_same_content_again_is_the_memory_that_is_there(agent: Agent) -> None:
    first = agent.call("store_memory", content="once")
    again = agent.result("store_memory", content="once")
    assert again["structuredContent"] == {**first, "created": False}
    assert again["content"][0]["text"].startswith(f"Not stored again: memory {first['id']}")


def test_a_list_goes_on_with_its_cursor(agent: Agent) -> None:
    ids = [agent.call("store_memory", content=f"memory {n}")["id"] for n in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        page = agent.call("list_memories", limit=2, cursor=cursor)
        seen += [memory["id"] for memory in page["memories"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        assert f"call list_memories with cursor {cursor}" in page["note"]
    assert seen == ids[::-1]


def test_what_is_read_as_text_has_all_that_matters(agent: Agent) -> None:
    stored = agent.call("store_memory", **DRAFT)
    [content] = agent.result("search_memories", query="PostgreSQL")["content"]
    heading, about, text, score = content["text"].replace("\n\n", "\n").splitlines()
    assert heading == "1 found, best first."
    assert about.startswith(f"[{stored['id']}] decision | project billing | tags database | importance 0.8 | 20")
    assert about.endswith('Z | metadata {"ticket":"BILL-12"}')
    assert (text, score[:7]) == (DRAFT["content"], "(score ")


def test_nothing_found_says_what_to_try(agent: Agent) -> None:
    nothing = agent.result("search_memories", query="anything")
    assert nothing["structuredContent"]["results"] == []
    assert nothing["content"][0]["text"] == "Nothing found: try other words, or fewer conditions."


def test_search_and_fetch_answer_what_clients_of_documents_expect(agent: Agent) -> None:
    content = f"\n{'A title of many words. ' * 6}\nThe rest."
    stored = agent.call("store_memory", content=content, tags=["t"])

    found = agent.result("search", query="many words")
    [link] = found["structuredContent"]["results"]
    assert json.loads(found["content"][0]["text"]) == found["structuredContent"]
    assert link["id"] == stored["id"]
    assert (link["title"][:21], len(link["title"])) == ("A title of many words", 80)
    assert link["url"].endswith(f"/memories/{stored['id']}")
    assert agent.api.get(link["url"]).json()["content"] == content

    fetched = agent.result("fetch", id=stored["id"])
    document = fetched["structuredContent"]
    assert json.loads(fetched["content"][0]["text"]) == document
    assert {**link, "text": content} == {name: document[name] for name in (*link, "text")}
    assert (document["metadata"]["tags"], "next_offset" in document["metadata"]) == (["t"], False)


REFUSED: Final[dict[str, tuple[str, dict[str, Any], str]]] = {
    "an empty content": ("store_memory", {"content": ""}, "content: String should have at least 1 character"),
    "too much": ("store_memory", {"content": "é" * 40_000}, "content: must be at most 65,536 bytes of UTF-8"),
    "a misspelt field": ("store_memory", {"content": "a", "tag": []}, "tag: Extra inputs are not permitted"),
    "a time without its offset": (
        "search_memories",
        {"query": "a", "since": "2026-01-01"},
        "since: must be a time with its offset from UTC",
    ),
    "a number out of range": ("list_memories", {"limit": 101}, "limit: Input should be less than or equal to 100"),
    "a cursor of one's own": ("list_memories", {"cursor": "2"}, "cursor: must be the next_cursor of the page before"),
    "no id": ("get_memory", {"memory_id": "x"}, "memory_id: must be the id of a memory, a UUID"),
    "a budget too small": ("get_memory", {"memory_id": new_id(), "max_tokens": 9}, "max_tokens: Input should be"),
    "no arguments": ("search", {}, "query: Field required"),
}


@pytest.mark.parametrize(("tool", "arguments", "reason"), REFUSED.values(), ids=REFUSED)
def test_arguments_that_are_wrong_are_named(agent: Agent, tool: str, arguments: dict[str, Any], reason: str) -> None:
    said = agent.refused(tool, **arguments)
    assert said.startswith("The request is not valid: ")
    assert reason in said


@pytest.mark.parametrize("tool", ["get_memory", "update_memory", "delete_memory", "fetch"])
def test_a_memory_that_is_not_there_is_told(agent: Agent, tool: str) -> None:
    missing = new_id()
    said = agent.refused(tool, **{"id" if tool == "fetch" else "memory_id": missing})
    assert said == (f"There is no such memory: there is no memory {missing}: check the id, or search for the memory")


def test_a_change_of_a_version_that_is_gone_is_told(agent: Agent) -> None:
    memory_id = agent.call("store_memory", content="a")["id"]
    agent.call("update_memory", memory_id=memory_id, content="b", expected_version=1)
    for tool in ("update_memory", "delete_memory"):
        said = agent.refused(tool, memory_id=memory_id, expected_version=1)
        assert "is at version 2, not 1: get it again, then repeat the change" in said
    other = agent.call("store_memory", content="c")["id"]
    assert f"memory {memory_id} of the same project already has this content" in agent.refused(
        "update_memory", memory_id=other, content="b"
    )


def test_a_part_that_does_not_answer_is_told(agent: Agent, embedder_function: EmbedderFunction) -> None:
    embedder_function.away = True
    try:
        said = agent.refused("search_memories", query=f"a question never asked {new_id()}")
    finally:
        embedder_function.away = False
    assert "send the request again in" in said


def test_nobody_learns_of_anothers_memories(agent: Agent) -> None:
    memory_id = agent.call("store_memory", content="Ada's secret is a lighthouse")["id"]
    agent.api.headers["X-Test-User"] = new_id()
    missing = new_id()

    assert agent.call("list_memories")["memories"] == []
    assert agent.call("search_memories", query="Ada's secret is a lighthouse")["results"] == []
    assert agent.call("search", query="Ada's secret is a lighthouse")["results"] == []
    for tool, field in (("get_memory", "memory_id"), ("update_memory", "memory_id"), ("delete_memory", "memory_id")):
        theirs, none = (agent.refused(tool, **{field: which}) for which in (memory_id, missing))
        assert theirs.replace(memory_id, missing) == none
    assert agent.refused("fetch", id=memory_id).replace(memory_id, missing) == agent.refused("fetch", id=missing)


def test_every_tool_says_what_it_is_for_and_what_it_does(agent: Agent) -> None:
    tools = agent.tools()
    for name, tool in tools.items():
        assert len(tool["description"]) > 40
        assert tool["title"] == tool["annotations"]["title"]
        assert tool["inputSchema"]["type"] == tool["outputSchema"]["type"] == "object"
        assert tool["annotations"]["readOnlyHint"] is (name in READS)
        assert tool["annotations"]["openWorldHint"] is False
    destructive = {name for name, tool in tools.items() if tool["annotations"]["destructiveHint"]}
    assert destructive == {"update_memory", "delete_memory"}


def test_a_tool_takes_what_its_route_takes(agent: Agent) -> None:
    components = agent.api.get("/openapi.json").json()["components"]["schemas"]
    tools = agent.tools()
    routes = {
        "store_memory": "MemoryCreate",
        "update_memory": "MemoryUpdate",
        "search_memories": "SearchRequest",
        "list_memories": "BodyConditions",
    }
    for tool, body in routes.items():
        of_tool, of_route = tools[tool]["inputSchema"]["properties"], components[body]["properties"]
        shared = of_tool.keys() & of_route.keys()
        assert len(shared) >= len(of_route) - 1
        assert {name: _comparable(of_tool[name]) for name in shared} == {
            name: _comparable(of_route[name]) for name in shared
        }


def _comparable(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a field's schema without what the OpenAPI document alone adds or leaves out: titles, defaults of null."""
    kept = {key: value for key, value in schema.items() if (key, value) != ("default", None) and key != "title"}
    return json.loads(json.dumps(kept).replace("#/components/schemas/", "#/$defs/"))
