"""Memories as resources."""

from __future__ import annotations

import pytest

from memory_server.domain.events import new_id
from tests.integration.api.agent import STATELESS, Agent, RpcError


def test_a_memory_is_listed_and_read_as_a_resource(agent: Agent) -> None:
    content = "# PostgreSQL\nWe chose it for billing. é"
    memory_id = agent.call("store_memory", content=content, importance=0.8)["id"]
    uri = f"memory://{memory_id}"

    [resource] = agent.ask("resources/list")["resources"]
    assert (resource["uri"], resource["title"], resource["mimeType"]) == (uri, "# PostgreSQL", "text/plain")
    assert (resource["size"], resource["annotations"]["priority"]) == (len(content.encode()), 0.8)

    read = agent.ask("resources/read", {"uri": uri})
    assert read["contents"] == [{"uri": uri, "mimeType": "text/plain", "text": content}]


def test_the_template_says_how_to_address_a_memory(agent: Agent) -> None:
    [template] = agent.ask("resources/templates/list")["resourceTemplates"]
    assert template["uriTemplate"] == "memory://{id}"


def test_the_list_goes_on_with_its_cursor(agent: Agent) -> None:
    drafts = [{"content": f"memory {n}"} for n in range(60)]
    stored = agent.api.post("/memories/batch", json={"memories": drafts}).json()["results"]

    first = agent.ask("resources/list")
    second = agent.ask("resources/list", {"cursor": first["nextCursor"]})

    uris = [resource["uri"] for resource in (*first["resources"], *second["resources"])]
    assert (len(first["resources"]), second.get("nextCursor")) == (50, None)
    assert sorted(uris) == sorted(f"memory://{result['memory']['id']}" for result in stored)


@pytest.mark.parametrize("uri", ["memory://{id}", "memory://nonsense", "file:///etc/passwd", "memory:{id}", ""])
def test_a_resource_that_is_not_there_is_an_error_that_says_what_to_do(agent: Agent, uri: str) -> None:
    with pytest.raises(RpcError) as refused:
        agent.ask("resources/read", {"uri": uri.format(id=new_id())})
    assert refused.value.code == (-32602 if agent.revision == STATELESS else -32002)
    assert "check the id, or search for the memory" in refused.value.message


def test_a_cursor_of_ones_own_is_refused(agent: Agent) -> None:
    with pytest.raises(RpcError) as refused:
        agent.ask("resources/list", {"cursor": "2"})
    assert (refused.value.code, "nextCursor of the page before" in refused.value.message) == (-32602, True)


def test_nobody_reads_what_another_has(agent: Agent) -> None:
    memory_id = agent.call("store_memory", content="Ada's secret")["id"]
    agent.api.headers["X-Test-User"] = new_id()
    assert agent.ask("resources/list")["resources"] == []
    with pytest.raises(RpcError):
        agent.ask("resources/read", {"uri": f"memory://{memory_id}"})
