"""A running server, asked over HTTP; its problem documents become errors that a person can read."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast
from urllib.parse import quote, urlsplit

import httpx

from memory_cli.errors import Failed
from plugin_kit.json_types import JsonObject, JsonValue

# A hook that is fired may take as long as its Lambda: 30 seconds.
TIMEOUT: Final = httpx.Timeout(35.0, connect=5.0)


class Server:
    """The server at ``url``; ``key`` is the API key that requests carry, if they carry one."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}

    @property
    def is_on_this_machine(self) -> bool:
        """Whether the URL's host is this machine."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    def get(self, *path: str, parameters: Mapping[str, str | int] | None = None) -> JsonObject:
        """Return the answer to GET of the ``path`` of these segments. Raises what ``post`` raises."""
        return self._call("GET", path, parameters=parameters)

    def post(self, *path: str, body: JsonValue = None) -> JsonObject:
        """Return the answer to POST of ``body``.

        Raises:
            Failed: the server does not answer, or answers with a problem.
        """
        return self._call("POST", path, body=body)

    def delete(self, *path: str, parameters: Mapping[str, str | int] | None = None) -> None:
        """Ask to DELETE what is at ``path``. Raises what ``post`` raises."""
        self._send("DELETE", path, parameters=parameters)

    def _call(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        parameters: Mapping[str, str | int] | None = None,
        body: JsonValue = None,
    ) -> JsonObject:
        answer = _object(self._send(method, path, parameters=parameters, body=body))
        if answer is None:
            raise Failed(f"{self.url} answered what is no JSON object: is it a memory server?")
        return answer

    def _send(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        parameters: Mapping[str, str | int] | None = None,
        body: JsonValue = None,
    ) -> httpx.Response:
        url = "/".join((self.url, *(quote(segment, safe="") for segment in path)))
        try:
            response = httpx.request(method, url, params=parameters, json=body, headers=self._headers, timeout=TIMEOUT)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Failed(f"{self.url} is not the URL of a server: {error}") from error
        except httpx.HTTPError as error:
            raise Failed(
                f"the server at {self.url} does not answer ({error or type(error).__name__}): start it with "
                "`make run`, or name another with --url or MEMORY_SERVER_URL"
            ) from error
        if not response.is_success:
            raise Failed(told(response, _object(response)))
        return response


def download(url: str, file: Path) -> int:
    """Write what is at ``url``, a link that needs no key, into a new ``file``; return its bytes.

    Raises:
        Failed: it cannot be had, or the file cannot be written; then there is no file.
    """
    part = file.with_name(f"{file.name}.part")
    try:
        with httpx.stream("GET", url, timeout=TIMEOUT) as response, part.open("wb") as out:
            response.raise_for_status()
            for chunk in response.iter_raw():
                out.write(chunk)
        part.rename(file)
    except (httpx.HTTPError, OSError) as error:
        part.unlink(missing_ok=True)
        raise Failed(f"{file} cannot be had: {error or type(error).__name__}") from error
    return file.stat().st_size


def _object(response: httpx.Response) -> JsonObject | None:
    try:
        answer: object = response.json()
    except ValueError:
        return None
    return cast(JsonObject, answer) if isinstance(answer, dict) else None


def told(response: httpx.Response, problem: JsonObject | None) -> str:
    """Return what the server's ``problem`` says: its detail, and the fault of each field that the detail leaves out."""
    problem = problem or {}
    detail = str(problem.get("detail") or problem.get("title") or response.reason_phrase)
    lines = [f"the server answered {response.status_code}: {detail}"]
    errors = problem.get("errors")
    for fault in cast("list[JsonObject]", errors) if isinstance(errors, list) else []:
        said = str(fault.get("detail"))
        if said not in detail:
            lines.append(f"- {fault.get('field')}: {said}")
    if "error_id" in problem:
        lines.append(f"The server's log tells more under {problem['error_id']}.")
    return "\n".join(lines)
