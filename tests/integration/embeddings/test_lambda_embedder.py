"""Texts go to functions/embedder and come back as vectors, through Lambda's own HTTP interface."""

from __future__ import annotations

import json
import runpy
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from functions.embedder import handler as function_module
from functions.embedder.handler import handler
from memory_server.adapters.aws import Clients
from memory_server.adapters.lambda_embedder import BYTES_PER_CALL, TEXTS_PER_CALL, LambdaEmbedder
from memory_server.adapters.onnx_embedder import ModelMissing, OnnxEmbedder
from memory_server.domain.errors import InvalidRequest, Unavailable
from plugin_kit.json_types import JsonObject
from tests.fixtures.functions import Invocation


class EmbedderLambda:
    """One environment of the embedder's function. ``requests`` are the texts of each invocation.

    ``model_id`` is served in place of the true one where it is set, as after a deployment of another model.
    """

    def __init__(self) -> None:
        self.requests: list[list[str]] = []
        self.model_id: str | None = None
        self.broken = False
        self._one_at_a_time = threading.Lock()

    def invoke(self, payload: bytes) -> bytes:
        request = json.loads(payload)
        with self._one_at_a_time:
            self.requests.append(request["texts"])
            answer = handler({"texts": None} if self.broken else request, Invocation("embedder").context)
        return json.dumps(answer | ({"model_id": self.model_id} if self.model_id else {})).encode()


@contextmanager
def lambda_service(function: EmbedderLambda) -> Generator[str]:
    """Serve Invoke for ``function`` and give the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            payload = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            try:
                answer = function.invoke(payload)
            except InvalidRequest as error:
                answer = json.dumps({"errorType": "InvalidRequest", "errorMessage": str(error)}).encode()
                self.send_header("X-Amz-Function-Error", "Unhandled")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def function(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbedderLambda:
    monkeypatch.setenv("MODEL_PATH", str(model_path))
    return EmbedderLambda()


@pytest.fixture
def client(function: EmbedderLambda, monkeypatch: pytest.MonkeyPatch) -> Iterator[LambdaEmbedder]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with lambda_service(function) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", url)
        yield LambdaEmbedder(Clients().functions, "embedder")


async def test_its_vectors_are_those_of_the_model_itself(client: LambdaEmbedder, embedder: OnnxEmbedder) -> None:
    texts = ["one text", "naïve 用户 🚀", ""]

    assert await client.embed(texts) == await embedder.embed(texts)
    assert client.model_id == embedder.model_id
    assert client.dimensions == embedder.dimensions


async def test_the_embedder_says_which_model_it_serves(
    client: LambdaEmbedder, function: EmbedderLambda, embedder: OnnxEmbedder
) -> None:
    assert client.model_id == embedder.model_id
    assert client.model_id == embedder.model_id
    assert function.requests == [[]]


async def test_many_texts_are_split_into_calls_and_keep_their_order(
    client: LambdaEmbedder, function: EmbedderLambda, embedder: OnnxEmbedder
) -> None:
    texts = [f"memory {number}" for number in range(2 * TEXTS_PER_CALL + 1)]

    vectors = await client.embed(texts)

    assert sorted(len(request) for request in function.requests) == [1, TEXTS_PER_CALL, TEXTS_PER_CALL]
    assert vectors[-1] == (await embedder.embed(texts[-1:]))[0]
    assert vectors[0] == pytest.approx((await embedder.embed(texts[:1]))[0], abs=1e-5)


async def test_long_texts_are_split_into_calls_that_lambda_takes(
    client: LambdaEmbedder, function: EmbedderLambda
) -> None:
    texts = ["\x01" * (BYTES_PER_CALL // 6 // 4)] * 5  # each is a quarter of a call: JSON writes \u0001

    await client.embed(texts)

    assert sorted(len(request) for request in function.requests) == [2, 3]


async def test_no_texts_cost_no_call(client: LambdaEmbedder, function: EmbedderLambda) -> None:
    assert await client.embed([]) == []
    assert function.requests == []


async def test_a_function_that_fails_is_unavailable(client: LambdaEmbedder, function: EmbedderLambda) -> None:
    function.broken = True

    with pytest.raises(Unavailable, match="embedder"):
        await client.embed(["text"])


@pytest.mark.usefixtures("client")
async def test_a_service_that_is_away_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:9")
    away = LambdaEmbedder(Clients().functions, "embedder")

    with pytest.raises(Unavailable, match="embedder"):
        await away.embed(["text"])
    with pytest.raises(Unavailable, match="embedder"):
        _ = away.model_id


async def test_vectors_of_another_model_are_refused_until_its_id_is_known(
    client: LambdaEmbedder, function: EmbedderLambda
) -> None:
    await client.embed(["text"])
    function.model_id = "another@fp32"

    with pytest.raises(Unavailable, match="embedder"):
        await client.embed(["text"])

    assert client.model_id == "another@fp32"
    assert len(await client.embed(["text"])) == 1


@pytest.mark.usefixtures("function")
@pytest.mark.parametrize("request_", [{}, {"texts": "text"}, {"texts": [1]}, {"texts": None}])
def test_the_function_refuses_what_is_no_list_of_texts(request_: JsonObject) -> None:
    with pytest.raises(InvalidRequest, match="texts: must be a list of texts"):
        handler(request_, Invocation("embedder").context)


def test_in_lambda_the_model_is_loaded_before_the_first_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_PATH", str(tmp_path))  # where there is none
    runpy.run_path(function_module.__file__)
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")

    with pytest.raises(ModelMissing):
        runpy.run_path(function_module.__file__)
