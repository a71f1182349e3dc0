"""The emulator's door: who calls, and whether what a function asks for is what its role allows.

ministack evaluates IAM policies, but takes whoever calls himself ``test`` for the account's owner, believes requests
that name another action than theirs, and serves its own pages to all. Plugins are strangers, so the door is narrower.

This runs inside the emulator's process. ministack has no public door for it, so the names that are hooked are those of
the version that requirements-aws.txt pins.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Final, TypeAlias, cast
from urllib.parse import parse_qs

Scope: TypeAlias = "Mapping[str, object]"
Message: TypeAlias = "Mapping[str, object]"
Receive: TypeAlias = "Callable[[], Awaitable[Message]]"
Send: TypeAlias = "Callable[[Message], Awaitable[None]]"
Application: TypeAlias = "Callable[[Scope, Receive, Send], Awaitable[None]]"
Configuration: TypeAlias = "Mapping[str, str]"

OPERATOR: Final = "operator"
"""The access key of whoever started the emulator, who may do all."""

_ACCOUNT: Final = "000000000000"
_REFUSED: Final = b'{"__type": "AccessDeniedException", "message": "the emulator takes no such request"}'
_HEALTH: Final = "/_ministack/health"
_ANSWER: Final = "/_ministack/cfn-response/"  # CloudFormation's, whose URL none but the one who is asked can know
_CREDENTIAL: Final = re.compile(r"AWS4-HMAC-SHA256 Credential=(\w+)/\d{8}/[\w-]+/([\w-]+)/aws4_request,")
# How functions may ask each service: the path, and how the name of what they ask for begins where it is in a header.
_SHAPES: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "dynamodb": (re.compile(r"/"), "DynamoDB_20120810."),
    "events": (re.compile(r"/"), "AWSEvents."),
    "lambda": (re.compile(r"/2015-03-31/functions/[^/]+/invocations"), ""),
    "logs": (re.compile(r"/"), "Logs_20140328."),
    "s3": (re.compile(r"/[^/]+(/.+)?"), ""),
    "scheduler": (re.compile(r"/schedules/.+"), ""),
    "secretsmanager": (re.compile(r"/"), "secretsmanager."),
    "sqs": (re.compile(r"/"), "AmazonSQS."),
}
# What a link to an object says, each once: ministack checks its signature, which covers the host alone, and its time.
_LINK: Final[Mapping[str, re.Pattern[str]]] = {
    "X-Amz-Algorithm": re.compile("AWS4-HMAC-SHA256"),
    "X-Amz-Credential": re.compile(r"(\w+)/\d{8}/[\w-]+/s3/aws4_request"),
    "X-Amz-Date": re.compile(r"\d{8}T\d{6}Z"),
    "X-Amz-Expires": re.compile(r"\d{1,6}"),
    "X-Amz-SignedHeaders": re.compile("host"),
    "X-Amz-Signature": re.compile("[0-9a-f]{64}"),
}
_FILE_NAME: Final = "response-content-disposition"
_MAX_BYTES: Final = 8 * 1024 * 1024  # Lambda takes 6 MB, and is what takes most
_MAX_OBJECT_BYTES: Final = 64 * 1024 * 1024
_WITH_QUERY: Final = {"s3", "scheduler"}

logger = logging.getLogger(__name__)


def open_door(application: Application, operator_secret: str) -> Application:
    """Return ``application``, ministack's, for those alone who have credentials: the operator, and each function.

    ministack must have been imported with AUTH=true: it checks the signatures and evaluates the roles' policies.
    """
    sessions = _Sessions(operator_secret)
    vars(importlib.import_module("ministack.core.lambda_runtime"))["execution_credentials"] = sessions.of_function
    return _Door(application, sessions)


def credentials(operator_secret: str, function: str, role_arn: str) -> tuple[str, str]:
    """Return the access key of ``function`` and its secret; ministack's own could be computed from its name."""
    digest = hmac.new(operator_secret.encode(), f"{function}:{role_arn}".encode(), hashlib.sha512).hexdigest()
    return f"ASIA{digest[:16].upper()}", digest[16:]


class _Sessions:
    """Who is known by which access key, in the table that ministack looks in."""

    def __init__(self, operator_secret: str) -> None:
        self._secret = operator_secret
        self._known = cast(
            "MutableMapping[str, Mapping[str, str]]",
            vars(importlib.import_module("ministack.services.sts"))["_sessions"],
        )
        functions = vars(importlib.import_module("ministack.services.lambda_svc"))["_functions"]
        self._functions = cast("Mapping[str, Mapping[str, Configuration]]", functions)
        self._add(OPERATOR, operator_secret, f"arn:aws:iam::{_ACCOUNT}:root")

    def __contains__(self, key: str) -> bool:
        """Return whether ``key`` is somebody's; the API has its function's, of which no process was started."""
        if key not in self._known:
            for function in self._functions.values():
                self.of_function(function["config"])
        return key in self._known

    def of_function(self, configuration: Configuration) -> dict[str, str]:
        """Return the variables with which the function signs."""
        name, role = configuration["FunctionName"], configuration["Role"]
        key, secret = credentials(self._secret, name, role)
        self._add(key, secret, f"arn:aws:sts::{_ACCOUNT}:assumed-role/{role.rpartition('/')[2]}/{name}")
        return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}

    def _add(self, key: str, secret: str, arn: str) -> None:
        self._known[key] = {"Arn": arn, "UserId": arn.rpartition("/")[2], "SecretAccessKey": secret}


class _Door:
    def __init__(self, application: Application, sessions: _Sessions) -> None:
        self._application = application
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or (scope["type"] == "http" and self._admits(scope)):
            await self._application(scope, receive, send)
            return
        logger.warning("refused: %s %s", scope.get("method"), scope.get("path"))
        headers = [(b"content-type", b"application/x-amz-json-1.0")]
        await send({"type": "http.response.start", "status": HTTPStatus.FORBIDDEN, "headers": headers})
        await send({"type": "http.response.body", "body": _REFUSED})

    def _admits(self, scope: Scope) -> bool:
        method, path = str(scope["method"]), str(scope["path"])
        if path.startswith("/_"):
            return path == _HEALTH or (method == "PUT" and path.startswith(_ANSWER))
        headers: dict[str, list[str]] = {}
        for name, value in cast("list[tuple[bytes, bytes]]", scope["headers"]):
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        query = cast(bytes, scope["query_string"]).decode("latin-1")
        credentials = headers.get("authorization", [])
        if not credentials:
            key = _key_of_link(query)
            return method == "GET" and key in self._sessions and _has_shape("s3", path, headers, query)
        credential = _CREDENTIAL.match(credentials[0]) if len(credentials) == 1 else None
        if credential is None or credential[1] not in self._sessions:
            return False
        return credential[1] == OPERATOR or (
            credential[2] in _SHAPES
            and _has_shape(credential[2], path, headers, query)
            and _is_bounded(credential[2], headers)
        )


def _key_of_link(query: str) -> str:
    """Return the access key that signed a link to an object, an empty one where the query is no such link's."""
    said = parse_qs(query, keep_blank_values=True)
    if said.keys() - {_FILE_NAME} != _LINK.keys() or any(len(values) != 1 for values in said.values()):
        return ""
    found = {name: pattern.fullmatch(said[name][0]) for name, pattern in _LINK.items()}
    key = found["X-Amz-Credential"]
    return key[1] if key is not None and all(found.values()) else ""


def _has_shape(service: str, path: str, headers: Mapping[str, list[str]], query: str) -> bool:
    """Return whether a request is what it says in its signature, a call of ``service``, to ministack's router too."""
    pattern, target = _SHAPES[service]
    targets = headers.get("x-amz-target", [])
    named = len(targets) == 1 and targets[0].startswith(target) if target else not targets
    # In a query or a form, ministack would look for what is asked for, and find another thing than what it then does.
    plain = not query or (service in _WITH_QUERY and "Action" not in parse_qs(query))
    no_form = not any("form" in value for value in headers.get("content-type", []))
    hosts = [value.partition(":")[0] for value in headers.get("host", [])]
    return pattern.fullmatch(path) is not None and named and plain and no_form and hosts == ["127.0.0.1"]


def _is_bounded(service: str, headers: Mapping[str, list[str]]) -> bool:
    """Return whether a request says how long it is, and is not too long for ministack to read into its memory."""
    lengths = headers.get("content-length", ["0"])
    limit = _MAX_OBJECT_BYTES if service == "s3" else _MAX_BYTES
    return "transfer-encoding" not in headers and len(lengths) == 1 and int(lengths[0]) <= limit
