"""The registrar's function, with a server that stands for CloudFormation and for the plugins' functions."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from functions.registrar.handler import handler
from memory_server.adapters.cloudformation import CustomResourceRequest
from plugin_kit.json_types import JsonObject, JsonValue
from tests.fixtures.aws import AwsStack
from tests.fixtures.functions import Invocation
from tests.fixtures.postgres import TestDatabase

MANIFEST: JsonObject = {
    "plugin_id": "registrar_test",
    "name": "Registrar test",
    "version": "1.0.0",
    "description": "A plugin of the tests",
    "author": "tests",
    "hooks": ["memory_created"],
    "priority": 50,
    "enabled": True,
    "permissions": [],
    "config": {"properties": {"threshold": {"default": 0.5}}},
}


@dataclass
class World:
    """What answers the registrar: ``described`` is what a plugin's function says of itself.

    ``initialized`` is what it answers to that, ``actions`` are all that it was asked.
    """

    aws: AwsStack
    database: TestDatabase
    url: str
    described: JsonValue = field(default_factory=lambda: {"ok": MANIFEST})
    initialized: JsonValue = field(default_factory=lambda: {"ok": None})
    function_error: bool = False
    actions: list[str] = field(default_factory=list[str])
    answers: list[JsonObject] = field(default_factory=list[JsonObject])
    content_types: list[str | None] = field(default_factory=list[str | None])

    def send(self, kind: str, resource_type: str, physical_id: str | None = None, /, **properties: str) -> JsonObject:
        """Send a request as CloudFormation does, and return what it was answered."""
        request: CustomResourceRequest = {
            "RequestType": kind,
            "ResponseURL": f"{self.url}/answer?signature=abc",
            "StackId": "stack",
            "RequestId": "request",
            "ResourceType": resource_type,
            "LogicalResourceId": "Resource",
            "ResourceProperties": {"ServiceToken": "arn", **properties},
        }
        if physical_id is not None:
            request["PhysicalResourceId"] = physical_id
        before = len(self.answers)
        handler(request, Invocation("registrar", milliseconds=300_000).context)
        (answer,) = self.answers[before:]
        assert (answer["StackId"], answer["RequestId"], answer["LogicalResourceId"]) == ("stack", "request", "Resource")
        return answer

    def register(self, kind: str = "Create", physical_id: str | None = None, /, **changes: str) -> JsonObject:
        properties = {
            "PluginId": "registrar_test",
            "FunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:plugin",
            "QueueUrl": "https://sqs/queue",
            "DeadLetterQueueUrl": "https://sqs/dead",
        }
        return self.send(kind, "Custom::PluginRegistration", physical_id, **{**properties, **changes})


@pytest.fixture
def world(
    function_environment: None, aws: AwsStack, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """The registrar's environment."""
    assert function_environment is None
    administrator = database.administrator
    credentials = {"username": administrator.user, "password": administrator.password}
    secret = aws.clients.secrets.create_secret(Name="admin", SecretString=json.dumps(credentials))
    monkeypatch.setenv("DATABASE_ADMIN_SECRET_ARN", secret["ARN"])
    world = World(aws, database, "")
    with _serving(world) as world.url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", world.url)
        yield world


@contextmanager
def _serving(world: World) -> Generator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer the invocation of a plugin's function."""
            action = json.loads(self._body())["action"]
            world.actions.append(action)
            answers = {"describe": world.described, "initialize": world.initialized}
            answer = json.dumps(answers.get(action, {"ok": None})).encode()
            self.send_response(200)
            if world.function_error:
                self.send_header("X-Amz-Function-Error", "Unhandled")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def do_PUT(self) -> None:
            """Take an answer to CloudFormation."""
            world.content_types.append(self.headers["Content-Type"])
            world.answers.append(json.loads(self._body()))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers["Content-Length"]))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
