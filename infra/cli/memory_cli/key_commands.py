"""``memory-server keys``: API keys are made, listed, rotated and revoked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, cast

import click

from memory_cli.errors import Failed
from memory_cli.options import as_json, asks_server
from memory_cli.output import print_json, print_object, print_rows
from memory_cli.server import Server
from plugin_kit.json_types import JsonObject, JsonValue

_COLUMNS: Final = ("id", "user_id", "name", "scopes", "project", "expires_at", "requests_a_minute")
_SCOPES: Final = ("memories:read", "memories:write", "plugins:read", "plugins:admin", "keys:admin")


@click.group()
def keys() -> None:
    """Give people and programs keys to a server, and take them back."""


@keys.command(epilog="Example: memory-server keys create ada --scope memories:read --scope memories:write")
@click.argument("user")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(_SCOPES), help="What it lets do.")
@click.option("--name", help="What tells it from the user's other keys.")
@click.option("--project", help="Outside this project nothing exists for its holder.")
@click.option("--expires", "expires_at", metavar="TIME", help="When it ends, as in 2027-01-31T12:00:00Z.")
@click.option("--requests-a-minute", type=click.IntRange(min=1), help="How often it may be used.")
@as_json
@asks_server
def create(server: Server, user: str, scopes: Sequence[str], as_json: bool, **limits: str | int | None) -> None:
    """Make a key that acts for USER, and print it: it is shown this once."""
    given: dict[str, JsonValue] = {name: value for name, value in limits.items() if value is not None}
    _print(server.post("keys", body={"user_id": user, "scopes": list(scopes), **given}), as_json=as_json)


@keys.command("list", epilog="Example: memory-server keys list --user ada")
@click.option("--user", help="The keys of this user alone.")
@as_json
@asks_server
def list_keys(server: Server, user: str | None, as_json: bool) -> None:
    """List the keys, without their secrets."""
    found: list[JsonObject] = []
    parameters: dict[str, str | int] = {"limit": 100, **({} if user is None else {"user_id": user})}
    while True:
        page = server.get("keys", parameters=parameters)
        found += cast("Sequence[JsonObject]", page["keys"])
        if page["next_cursor"] is None:
            break
        parameters["cursor"] = str(page["next_cursor"])
    if as_json:
        print_json(found)
    else:
        print_rows(_COLUMNS, found)


@keys.command(epilog="Example: memory-server keys rotate 5f2c8d1e9a0b4c73")
@click.argument("key_id")
@as_json
@asks_server
def rotate(server: Server, key_id: str, as_json: bool) -> None:
    """Give the key of this id a new secret, and print it: the old one opens nothing any more."""
    _print(server.post("keys", key_id, "rotate"), as_json=as_json)


@keys.command(epilog="Example: memory-server keys revoke 5f2c8d1e9a0b4c73")
@click.argument("key_id")
@asks_server
def revoke(server: Server, key_id: str) -> None:
    """Revoke the key of this id."""
    server.delete("keys", key_id)
    click.echo(f"The key {key_id} opens nothing any more.")


@keys.command(
    epilog="Example: memory-server keys bootstrap arn:aws:lambda:eu-central-1:123456789012:function:registrar"
)
@click.argument("registrar")
@click.option("--user", default="local", show_default=True, help="The user whom the key acts for.")
@as_json
def bootstrap(registrar: str, user: str, as_json: bool) -> None:
    """Print a first key, with every scope, for a server on AWS.

    REGISTRAR is the output RegistrarFunctionArn of the server's stack. Your AWS credentials must let you invoke it.
    """
    import boto3  # slow to import, and for this command alone
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = boto3.client("lambda").invoke(  # pyright: ignore[reportUnknownMemberType]
            FunctionName=registrar, Payload=json.dumps({"bootstrap_key": {"user_id": user}})
        )
        said = answer["Payload"].read()
    except (BotoCoreError, ClientError) as error:
        raise Failed(f"{registrar} cannot be invoked: {error}") from error
    if "FunctionError" in answer:
        raise Failed(f"{registrar} makes no key: {said.decode()}")
    _print(cast(JsonObject, json.loads(said)), as_json=as_json)


def _print(answer: JsonObject, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        print_object(answer)
