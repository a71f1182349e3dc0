"""``memory-server plugin``: plugins written, checked, tried and looked after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import click

from memory_cli import checks, scaffold
from memory_cli.errors import Failed
from memory_cli.logs import plugin_lines
from memory_cli.options import as_json, asks_server, parsed
from memory_cli.output import print_json, print_object, print_rows
from memory_cli.server import Server
from plugin_kit.hooks import CATALOGUE
from plugin_kit.json_types import JsonObject, JsonValue

_PLUGIN_COLUMNS: Final = ("id", "version", "enabled", "priority", "hooks", "description")
_DELIVERY_COLUMNS: Final = ("at", "hook", "result", "attempt", "milliseconds", "error", "event_id")


@click.group()
def plugin() -> None:
    """Write a plugin, try it, and look after those that a server runs."""


@plugin.command(epilog="Example: memory-server plugin new my_plugin")
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("plugins"),
    show_default=True,
    help="Where to make the plugin's folder.",
)
def new(name: str, folder: Path) -> None:
    """Make the plugin NAME, with a test that passes.

    NAME is the plugin's id and its folder's name: a lower-case letter, then at most 39 lower-case letters, digits or
    underscores.
    """
    made = scaffold.make_plugin(name, folder)
    named = "" if made == Path("plugins", name) else f'name "{made.resolve()}" in config/settings.yaml, and then '
    click.echo(
        f"""Made {made} with {", ".join(scaffold.FILES)}.

Next:
  pytest {made}
  memory-server plugin check {made}

To run it on this machine, {named}start the server again: make run
Then see it work:
  memory-server plugin fire memory_created {name}"""
    )


@plugin.command(epilog="Example: memory-server plugin check plugins/my_plugin")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@as_json
def check(folder: Path, as_json: bool) -> None:
    """Print every fault of the plugin in FOLDER, each with its fix; exit with 1 where there is one.

    Its plugin.py is imported as the server would, so check only what you would run.
    """
    found = list(checks.faults(folder))
    if as_json:
        print_json({"plugin": folder.resolve().name, "faults": found})
    elif not found:
        click.echo(f"{folder} is a plugin that the server would take.")
    if found:
        raise Failed(f"{folder} has {len(found)} fault{'s'[: len(found) > 1]}:\n" + "\n".join(f"- {f}" for f in found))


@plugin.command(epilog="Example: memory-server plugin fire memory_created my_plugin")
@click.argument("hook", type=click.Choice(list(CATALOGUE)), metavar="HOOK")
@click.argument("name", required=False, metavar="[PLUGIN]")
@click.option("--args", "given", metavar="JSON", help="Arguments in place of the sample's; of a memory, some fields.")
@as_json
@asks_server
def fire(server: Server, hook: str, name: str | None, given: str | None, as_json: bool) -> None:
    """Give a sample event of HOOK to PLUGIN on a running server, and print what it did.

    Without PLUGIN, every enabled plugin that has the hook gets it. Nothing is stored, and no statistics count it; what
    the hook does is done.
    """
    body: dict[str, JsonValue] = {"hook": hook, **({} if given is None else {"args": parsed(given)})}
    names = [name] if name else [str(item["id"]) for item in _plugins(server) if item["enabled"] and _has(item, hook)]
    if not names:
        raise Failed(f"no enabled plugin has the hook {hook}: see `memory-server plugin list`")
    results = [{"plugin": name, **server.post("plugins", name, "test", body=body)} for name in names]
    if as_json:
        print_json(results)
    else:
        print_rows(("plugin", "hook", "outcome", "milliseconds", "returned"), results)
        for result in results:
            for line in cast("Sequence[str]", result.get("logs") or ()):
                click.echo(f"{result['plugin']}: {line}")
    failed = [f"{result['plugin']}: {result['error']}" for result in results if result.get("error")]
    if failed:
        raise Failed("\n".join(failed))


@plugin.command("list", epilog="Example: memory-server plugin list --json")
@as_json
@asks_server
def list_plugins(server: Server, as_json: bool) -> None:
    """List the plugins of a running server."""
    plugins = _plugins(server)
    if as_json:
        print_json(plugins)
    else:
        print_rows(_PLUGIN_COLUMNS, plugins)


@plugin.command(epilog="Example: memory-server plugin enable my_plugin")
@click.argument("name")
@as_json
@asks_server
def enable(server: Server, name: str, as_json: bool) -> None:
    """Enable the plugin NAME: it gets the events that happen from now on."""
    _print_plugin(server.post("plugins", "enable", name), as_json=as_json)


@plugin.command(epilog="Example: memory-server plugin disable my_plugin")
@click.argument("name")
@as_json
@asks_server
def disable(server: Server, name: str, as_json: bool) -> None:
    """Disable the plugin NAME: none of its hooks starts after this has ended."""
    _print_plugin(server.post("plugins", "disable", name), as_json=as_json)


@plugin.command(epilog="Example: memory-server plugin status my_plugin")
@click.argument("name")
@as_json
@asks_server
def status(server: Server, name: str, as_json: bool) -> None:
    """Tell how the plugin NAME does: its deliveries, its last error, what waits in its queues."""
    answer = server.get("plugins", "status", name)
    if as_json:
        print_json(answer)
    else:
        print_object(answer)


@plugin.command(epilog="Example: memory-server plugin deliveries my_plugin --result failed")
@click.argument("name")
@click.option("--result", type=click.Choice(["delivered", "failed", "dropped"]), help="Only these.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="At most so many.")
@as_json
@asks_server
def deliveries(server: Server, name: str, result: str | None, limit: int, as_json: bool) -> None:
    """List the recent deliveries to the plugin NAME, the latest first."""
    found = _deliveries(server, name, result, limit)
    if as_json:
        print_json(found)
    else:
        print_rows(_DELIVERY_COLUMNS, found)


@plugin.command(epilog="Example: memory-server plugin logs my_plugin --lines 100")
@click.argument("name")
@click.option("--lines", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".data"),
    show_default=True,
    help="The data folder of the server on this machine.",
)
@as_json
@asks_server
def logs(server: Server, name: str, lines: int, data_dir: Path, as_json: bool) -> None:
    """Show the failed deliveries to the plugin NAME, and what it wrote to its log.

    The log of a server on this machine is in its data folder; that of a server on AWS is in CloudWatch Logs.
    """
    failed = _deliveries(server, name, "failed", lines)
    written = list(plugin_lines(data_dir, name))[-lines:] if server.is_on_this_machine else []
    if as_json:
        print_json({"failed": failed, "lines": written})
        return
    if failed:
        print_rows(_DELIVERY_COLUMNS, failed)
        click.echo()
    if not server.is_on_this_machine:
        group = f"/aws/lambda/<the server's stack>-plugin-{name}"
        click.echo(f"Its log is in CloudWatch Logs:\n  aws logs tail '{group}' --follow")
    elif written:
        click.echo("\n".join(written))
    else:
        click.echo(f"{data_dir / 'logs'} has no line of {name}: is it the data folder of {server.url}?")


def _plugins(server: Server) -> Sequence[JsonObject]:
    return cast("Sequence[JsonObject]", server.get("plugins", "list")["plugins"])


def _deliveries(server: Server, name: str, result: str | None, limit: int) -> Sequence[JsonObject]:
    parameters: dict[str, str | int] = {"limit": limit, **({} if result is None else {"result": result})}
    return cast("Sequence[JsonObject]", server.get("plugins", name, "deliveries", parameters=parameters)["deliveries"])


def _has(item: JsonObject, hook: str) -> bool:
    return hook in cast("Sequence[str]", item["hooks"])


def _print_plugin(answer: JsonObject, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    print_rows(_PLUGIN_COLUMNS, [answer])
    for warning in cast("Sequence[str]", answer.get("warnings") or ()):
        click.echo(f"Warning: {warning}", err=True)
