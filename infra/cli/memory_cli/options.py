"""What the commands that ask a server have in common: --url, --key, --json, and JSON as an argument."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

import click

from memory_cli.server import Server
from plugin_kit.json_types import JsonValue

P = ParamSpec("P")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def asks_server(command: Callable[Concatenate[Server, P], None]) -> Callable[P, None]:
    """Give ``command`` the server that --url names, and that --key opens."""

    @click.option(
        "--url",
        envvar="MEMORY_SERVER_URL",
        default="http://127.0.0.1:8000",
        show_default=True,
        show_envvar=True,
        help="Where the server answers.",
    )
    @click.option(
        "--key",
        envvar="MEMORY_SERVER_KEY",
        show_envvar=True,
        help="The API key to sign in with, where the server asks for one. Others see what is on a command line.",
    )
    @wraps(command)
    def with_server(*arguments: P.args, **options: P.kwargs) -> None:
        url, key = str(options.pop("url")), options.pop("key")
        command(Server(url, None if key is None else str(key)), *arguments, **options)

    return with_server


def parsed(text: str) -> JsonValue:
    """Return the JSON value that an option's ``text`` stands for.

    Raises:
        click.BadParameter: it is not JSON.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not JSON: {error}") from error
