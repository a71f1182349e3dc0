"""How long an agent waits for its first answer, and what a call of a tool takes beside the same call over REST.

    make bench [MEMORIES=100000] [TEXTS=file.jsonl.gz]

Each first answer is of a new process with what template.yaml gives the API's function: from its start, over all imports
and the first connections, to the answer that Lambda would pass on. The embedder is in the process, as on one machine.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from infra.local import deploy
from infra.local.first_key import first_key
from tests.benchmarks.measuring import fill
from tests.e2e.stack import REPOSITORY, Stack
from tests.fixtures.gateway import event_of
from tests.integration.api.agent import HANDSHAKE, STATELESS, Agent

STARTS: Final = 7
CALLS: Final = 300
HANDLER: Final = """
import json, sys
answers, sys.stdout = sys.stdout, sys.stderr
from tests.fixtures.gateway import Context
from functions.api.handler import handler
for line in sys.stdin:
    print(json.dumps(handler(json.loads(line), Context())), file=answers, flush=True)
"""


class NewProcess(httpx.BaseTransport):
    """Answers each request by a new process of the API's Lambda handler; ``seconds`` are from start to answer."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.seconds: list[float] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        event = json.dumps(event_of(request)).encode() + b"\n"
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", HANDLER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(self._environment),
            cwd=REPOSITORY,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(event)
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        self.seconds.append(time.perf_counter() - began)
        process.kill()
        process.communicate()
        return httpx.Response(answer["statusCode"], headers=answer["headers"], content=answer["body"].encode())


def environment_of_api(stack: Stack) -> dict[str, str]:
    """Return the variables of the API's function."""
    functions = stack.aws.functions.list_functions()["Functions"]
    [api] = [function for function in functions if "ApiFunction" in function.get("FunctionName", "")]
    return {
        **api.get("Environment", {}).get("Variables", {}),
        **stack.aws.environment_of(api.get("FunctionName", ""), api.get("Role", "")),
        "MODEL_PATH": str(REPOSITORY / "layers" / "embedding_model" / "model"),
        "SIGN_IN": "required",
        "REQUESTS_A_MINUTE": "600",
    }


def key_of(stack: Stack) -> str:
    """Return an API key with every scope."""
    outputs = stack.aws.cloudformation.describe_stacks(StackName=deploy.NAME)["Stacks"][0].get("Outputs", [])
    key = first_key(stack.aws, {output.get("OutputKey", ""): output.get("OutputValue", "") for output in outputs})
    assert key is not None
    return key


def tell(name: str, seconds: list[float]) -> None:
    """Write a line of how long that took."""
    in_order = sorted(seconds)
    p95 = in_order[int(len(in_order) * 0.95)]
    sys.stdout.write(f"{name:<44}{statistics.median(seconds) * 1000:9.1f} ms p50 {p95 * 1000:9.1f} ms p95\n")
    sys.stdout.flush()


def first_answers(environment: Mapping[str, str], key: str) -> None:
    """Measure the first answer of a process to each kind of request, sign-in included."""
    headers = {"Authorization": f"Bearer {key}"}
    query: dict[str, Any] = {"query": "which port does the database use", "limit": 10}
    asked: dict[str, Callable[[httpx.Client], object]] = {
        "GET /health": lambda client: client.get("/health").raise_for_status(),
        "POST /memories/search": lambda client: client.post("/memories/search", json=query).raise_for_status(),
        "MCP initialize": lambda client: Agent(client, HANDSHAKE[-1]).ask(
            "initialize",
            {"protocolVersion": HANDSHAKE[-1], "capabilities": {}, "clientInfo": {"name": "b", "version": "1"}},
        ),
        "MCP tools/list": lambda client: Agent(client, STATELESS).tools(),
        "MCP search_memories": lambda client: Agent(client, STATELESS).call("search_memories", **query),
    }
    for name, ask in asked.items():
        transport = NewProcess(environment)
        with httpx.Client(transport=transport, base_url="http://api.test", headers=headers) as client:
            for _ in range(STARTS):
                ask(client)
        tell(f"first answer of a process: {name}", transport.seconds)


def warm_calls(url: str) -> None:
    """Measure the same calls over REST and as tools, in turn, on a server that is warm."""
    numbers = itertools.count()
    with httpx.Client(base_url=url, timeout=30) as client:
        agent = Agent(client, STATELESS)
        memory_id = client.post("/memories", json={"content": "to be read"}).raise_for_status().json()["id"]
        pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "get": (
                lambda: client.get(f"/memories/{memory_id}").raise_for_status(),
                lambda: agent.call("get_memory", memory_id=memory_id),
            ),
            "search": (
                lambda: client.post("/memories/search", json={"query": "the port", "limit": 10}).raise_for_status(),
                lambda: agent.call("search_memories", query="the port", limit=10),
            ),
            "store": (
                lambda: client.post("/memories", json={"content": f"REST {next(numbers)}"}).raise_for_status(),
                lambda: agent.call("store_memory", content=f"MCP {next(numbers)}"),
            ),
        }
        for name, (over_rest, as_tool) in pairs.items():
            taken: tuple[list[float], list[float]] = ([], [])
            for _ in range(CALLS):
                for ask, seconds in zip((over_rest, as_tool), taken, strict=True):
                    began = time.perf_counter()
                    ask()
                    seconds.append(time.perf_counter() - began)
            tell(f"{name} over REST", taken[0])
            tell(f"{name} as a tool over MCP", taken[1])


def main() -> None:
    """Measure, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memories", type=int, default=10_000)
    parser.add_argument("--texts", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder))
        stack.start()
        try:
            fill(stack.admin_dsn, arguments.memories, arguments.texts, searched=True)
            first_answers(environment_of_api(stack), key_of(stack))
            warm_calls(stack.url)
        finally:
            stack.close()


if __name__ == "__main__":
    main()
