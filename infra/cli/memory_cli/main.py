"""The root of the command: each group of commands is added here."""

from __future__ import annotations

import click

from memory_cli.key_commands import keys
from memory_cli.mcp_command import mcp
from memory_cli.me_commands import me
from memory_cli.plugin_commands import plugin
from plugin_kit import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__)
def main() -> None:
    r"""Write plugins for the memory server, look after those that run, give people keys, and everyone what is theirs.

    \b
    Example:
      memory-server plugin new my_plugin
      memory-server plugin check plugins/my_plugin
      memory-server plugin fire memory_created my_plugin
      memory-server keys create ada --scope memories:read --scope memories:write

    \b
    Exit codes: 0 it went well, 1 it did not, 2 the command was called wrongly.
    """


main.add_command(mcp)
main.add_command(plugin)
main.add_command(keys)
main.add_command(me)
