"""CloudFormation's custom resources: a request comes as an event, its answer goes to a URL that the request names."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final, NotRequired, Protocol, TypedDict
from urllib.request import Request, urlopen

from memory_server.domain.errors import MemoryServerError
from plugin_kit.json_types import dumps

# The physical id of what could not be created: CloudFormation asks to delete it, and there is nothing to delete.
_NOT_CREATED: Final = "not-created"
# CloudFormation refuses an answer of over 4,096 bytes.
_MAX_REASON_BYTES: Final = 2000
# Of the time that the function has, what is kept for the answer.
_RESERVE_SECONDS: Final = 15

logger = logging.getLogger(__name__)


class CustomResourceRequest(TypedDict):
    """What CloudFormation asks for. ``PhysicalResourceId`` is what the creation answered."""

    RequestType: str
    ResponseURL: str
    StackId: str
    RequestId: str
    ResourceType: str
    LogicalResourceId: str
    PhysicalResourceId: NotRequired[str]
    ResourceProperties: Mapping[str, str]


class Resource(Protocol):
    """One type of custom resource. Both methods may run again for the same request."""

    async def put(self, properties: Mapping[str, str]) -> str:
        """Create or update the resource and return its physical id; where that changes, the old one is deleted."""
        ...

    async def delete(self, physical_id: str, properties: Mapping[str, str]) -> None: ...


class CustomResources:
    """Answers CloudFormation. ``resources`` makes the resources by their types; what it raises is answered too."""

    def __init__(self, resources: Callable[[], Mapping[str, Resource]]) -> None:
        self._resources = resources

    async def answer(self, request: CustomResourceRequest, *, seconds: float) -> None:
        """Do what ``request`` asks within ``seconds``, and tell CloudFormation how it went.

        Whatever goes wrong is answered: a request without an answer holds a deployment up for an hour.

        Raises:
            OSError: CloudFormation does not take the answer; Lambda runs the request again.
        """
        reason: str | None = None
        physical_id = request.get("PhysicalResourceId", _NOT_CREATED)
        try:
            async with asyncio.timeout(seconds - _RESERVE_SECONDS):
                physical_id = await self._act(request)
        except MemoryServerError as error:
            logger.warning("%s of %s failed: %s", request["RequestType"], request["LogicalResourceId"], error)
            reason = str(error)
        except Exception as error:
            logger.exception("%s of %s failed", request["RequestType"], request["LogicalResourceId"])
            reason = f"{type(error).__name__} in the registrar: its log of request {request['RequestId']} says more"
        await asyncio.to_thread(_send, request, physical_id, reason)

    async def _act(self, request: CustomResourceRequest) -> str:
        resource = self._resources()[request["ResourceType"]]
        if request["RequestType"] != "Delete":
            return await resource.put(request["ResourceProperties"])
        physical_id = request.get("PhysicalResourceId", _NOT_CREATED)
        if physical_id != _NOT_CREATED:
            await resource.delete(physical_id, request["ResourceProperties"])
        return physical_id


def _send(request: CustomResourceRequest, physical_id: str, reason: str | None) -> None:
    answer = {
        "Status": "SUCCESS" if reason is None else "FAILED",
        "Reason": (reason or "").encode()[:_MAX_REASON_BYTES].decode(errors="ignore"),
        "PhysicalResourceId": physical_id,
        "StackId": request["StackId"],
        "RequestId": request["RequestId"],
        "LogicalResourceId": request["LogicalResourceId"],
    }
    # The URL is signed for a request without a content type, which urllib would add.
    put = Request(request["ResponseURL"], dumps(answer).encode(), {"Content-Type": ""}, method="PUT")  # noqa: S310
    with urlopen(put, timeout=10):  # noqa: S310  # the URL is CloudFormation's, not a user's
        pass
