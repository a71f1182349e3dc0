"""``memory-server me``: what a user has on a server, all of it in a file, and all of it erased."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final, cast

import click

from memory_cli.errors import Failed
from memory_cli.options import as_json, asks_server
from memory_cli.output import print_json, print_object, waiting
from memory_cli.server import Server, download
from plugin_kit.json_types import JsonObject

WORDS: Final = "erase everything"
_ASK_AGAIN_SECONDS: Final = 0.5


@click.group(invoke_without_command=True, epilog="Example: memory-server me export everything.zip")
@click.pass_context
def me(context: click.Context) -> None:
    """Show who you are on a server and what you have there; export it, erase it."""
    if context.invoked_subcommand is None:
        with show.make_context("show", [], parent=context) as shown:
            show.invoke(shown)


@me.command(epilog="Example: memory-server me show --json")
@as_json
@asks_server
def show(server: Server, as_json: bool) -> None:
    """Show whom your key stands for, what it may, and what you have."""
    answer = server.get("me")
    if as_json:
        print_json(answer)
    else:
        print_object(answer)


@me.command(epilog="Example: memory-server me export everything.zip")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@asks_server
def export(server: Server, file: Path) -> None:
    """Write all that the server has of you into FILE, a ZIP file of JSON Lines; it must not be there yet."""
    if file.exists():
        raise Failed(f"{file} is there already: name another file")
    begun = server.post("me", "exports")
    try:
        done = _done(server, str(begun["id"]))
        size = download(str(cast(JsonObject, done["download"])["url"]), file)
    finally:
        server.delete("me", "exports", str(begun["id"]))
    click.echo(f"{file} has {done['lines']} lines in {size:,} bytes.")


@me.command(epilog="Example: memory-server me erase")
@click.option("--yes", is_flag=True, help="Do not ask: there is no way back.")
@asks_server
def erase(server: Server, yes: bool) -> None:
    """Erase all that the server has of you. There is no way back."""
    if not yes and click.prompt(f'All that {server.url} has of you will be gone. Type "{WORDS}"') != WORDS:
        raise Failed("nothing was erased")
    server.delete("me", parameters={"confirm": WORDS})
    click.echo("Everything is erased.")


def _done(server: Server, export_id: str) -> JsonObject:
    """Return the export once it is done, and show meanwhile how far it is."""
    with waiting("asking") as say:
        while True:
            found = server.get("me", "exports", export_id)
            if found["status"] == "done":
                return found
            if found["status"] == "failed":
                raise Failed(f"the export failed: {found['error']}")
            say(f"{found['lines']} lines are written")
            time.sleep(_ASK_AGAIN_SECONDS)
