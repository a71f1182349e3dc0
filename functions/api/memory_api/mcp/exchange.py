"""One message of an agent and its answer, by the MCP SDK: no session, nothing kept between two requests.

A session manager of the SDK runs once, so each request has its own; it serves the revision that needs no handshake and
those that begin with one.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import mcp_types as types
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from memory_api import cursor
from memory_api.errors import told, told_of_internal_error
from memory_api.mcp import resources
from memory_api.mcp.catalogue import INSTRUCTIONS, tools
from memory_api.mcp.document_tools import title_of
from memory_api.mcp.session import Session
from memory_api.mcp.tools import Answer, Tool
from memory_server.domain.errors import InsufficientScope, MemoryNotFound, MemoryServerError
from memory_server.domain.events import new_id
from memory_server.domain.queries import Position
from memory_server.services.recent import LIFETIME

_NAME: Final = "memory-server"
_TEXT: Final = "text/plain"
_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
# The code of a resource that is not there, in the revisions that have one of its own.
_RESOURCE_NOT_FOUND: Final = -32002
_POSITION: Final[TypeAdapter[Position]] = TypeAdapter(cursor.Cursor)

_Context: TypeAlias = ServerRequestContext[dict[str, Any], Any]
_Page: TypeAlias = types.PaginatedRequestParams | None

logger = logging.getLogger(__name__)


async def exchange(request: Request, body: bytes, session: Session) -> Response:
    """Return the answer to the message ``body``.

    Raises:
        InsufficientScope: the credential lacks a scope. HTTP tells that, so that a client can ask for more.
    """
    answers = _Answers(session)
    received: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        return received.pop() if received else await request.receive()

    async def send(message: Message) -> None:
        sent.append(message)

    manager = StreamableHTTPSessionManager(
        answers.server(str(request.app.version)),
        stateless=True,
        json_response=True,
        security_settings=_security(request),
        max_request_body_size=len(body) + 1,
    )
    async with manager.run():
        await manager.handle_request(request.scope, receive, send)
    if answers.lacking is not None:
        raise answers.lacking
    start, *parts = sent
    response = Response(b"".join(part.get("body", b"") for part in parts), start["status"])
    response.raw_headers = list(start["headers"])
    return response


def _security(request: Request) -> TransportSecuritySettings:
    """Return which Host and Origin a request may name.

    A server on a loopback address must not believe a page in the user's browser that has rebound its own name to it.
    Elsewhere the gateway has checked the Host, and the Origin has to be the same.
    """
    host = request.headers.get("host", "")
    names = [host]
    if _is_loopback(request.scope.get("server")):
        names = [pattern for name in _LOOPBACK for pattern in (name, f"{name}:*")]
    origins = [f"{scheme}://{name}" for scheme in ("http", "https") for name in names]
    return TransportSecuritySettings(allowed_hosts=names, allowed_origins=origins)


def _is_loopback(server: tuple[str, int | None] | None) -> bool:
    try:
        return server is not None and ipaddress.ip_address(server[0]).is_loopback
    except ValueError:
        return False


class _Answers:
    """Answers the requests that MCP knows, for one session. ``lacking`` is set where a scope was missing."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.lacking: InsufficientScope | None = None

    def server(self, version: str) -> Server[dict[str, Any]]:
        recent = CacheHint(ttl_ms=int(LIFETIME.total_seconds() * 1000))
        return Server(
            _NAME,
            version=version,
            title="Memory server",
            instructions=INSTRUCTIONS,
            cache_hints={"tools/list": recent, "resources/templates/list": recent},
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_resource_templates,
            on_read_resource=self._read_resource,
        )

    async def _list_tools(self, _: _Context, __: _Page) -> types.ListToolsResult:
        with self._errors():
            return types.ListToolsResult(tools=[_described(tool) for tool in (await tools(self._session)).values()])

    async def _call_tool(self, _: _Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        with self._errors():
            tool = (await tools(self._session)).get(params.name)
            if tool is None:
                raise MCPError(types.INVALID_PARAMS, f"there is no tool {params.name!r}: list the tools again")
            self._session.require(tool.scope)
        return _result(await self._run(tool, params.arguments or {}))

    async def _run(self, tool: Tool, arguments: dict[str, Any]) -> Answer:
        try:
            return await tool.run(self._session, arguments)
        except MemoryServerError as error:
            return Answer(text=told(error), structured=None, failed=True)
        except Exception:
            error_id = new_id()
            logger.exception("the tool %s failed (error %s)", tool.name, error_id)
            return Answer(text=told_of_internal_error(error_id), structured=None, failed=True)

    async def _list_resources(self, _: _Context, params: _Page) -> types.ListResourcesResult:
        with self._errors():
            page = await resources.recent(self._session, _position(params))
            return types.ListResourcesResult(
                resources=[
                    types.Resource(
                        uri=resources.uri_of(memory),
                        name=memory.id,
                        title=title_of(memory),
                        mime_type=_TEXT,
                        size=len(memory.content.encode()),
                        annotations=types.Annotations(
                            last_modified=memory.updated_at.isoformat() if memory.updated_at else None,
                            priority=memory.importance,
                        ),
                    )
                    for memory in page.memories
                ],
                next_cursor=None if page.next is None else cursor.encode(page.next),
            )

    async def _list_resource_templates(self, _: _Context, __: _Page) -> types.ListResourceTemplatesResult:
        template = types.ResourceTemplate(
            uri_template=resources.URI_TEMPLATE,
            name="memory",
            title="A memory",
            description="The content of the memory with this id.",
            mime_type=_TEXT,
        )
        return types.ListResourceTemplatesResult(resource_templates=[template])

    async def _read_resource(
        self, context: _Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        with self._errors():
            try:
                memory = await resources.read(self._session, params.uri)
            except MemoryNotFound as error:
                modern = context.protocol_version not in HANDSHAKE_PROTOCOL_VERSIONS
                code = types.INVALID_PARAMS if modern else _RESOURCE_NOT_FOUND
                raise MCPError(code, told(error), {"uri": params.uri}) from error
        content = types.TextResourceContents(uri=params.uri, mime_type=_TEXT, text=memory.content)
        return types.ReadResourceResult(contents=[content])

    @contextmanager
    def _errors(self) -> Generator[None]:
        """Turn the errors of what is no tool into those of the protocol."""
        try:
            yield
        except MCPError:
            raise
        except MemoryServerError as error:
            if isinstance(error, InsufficientScope):
                self.lacking = error
            raise MCPError(types.INTERNAL_ERROR, told(error)) from error
        except Exception as error:
            error_id = new_id()
            logger.exception("a request of MCP failed (error %s)", error_id)
            raise MCPError(types.INTERNAL_ERROR, told_of_internal_error(error_id)) from error


def _position(params: _Page) -> Position | None:
    if params is None or params.cursor is None:
        return None
    try:
        return _POSITION.validate_python(params.cursor)
    except ValidationError as error:
        raise MCPError(types.INVALID_PARAMS, "cursor must be the nextCursor of the page before") from error


def _described(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=dict(tool.input_schema),
        output_schema=None if tool.output_schema is None else dict(tool.output_schema),
        annotations=types.ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.hints.read_only,
            destructive_hint=tool.hints.destructive,
            idempotent_hint=tool.hints.idempotent or tool.hints.read_only,
            open_world_hint=tool.hints.open_world,
        ),
    )


def _result(answer: Answer) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(text=answer.text)],
        structured_content=answer.structured,
        is_error=answer.failed,
    )
