"""The lines of one plugin are found in the log of the AWS emulator."""

from __future__ import annotations

from pathlib import Path

from memory_cli.logs import plugin_lines

NOW = """\
2026-11-22 10:52:32 INFO [lambda] Lambda memory-server-PluginGatewayFunction-1A140C3A9E297 output:
{"service":"plugin_gateway","plugin_id":"my_plugin"}
2026-11-22 10:52:32 INFO [lambda] ESM: Lambda memory-server-plugin-my_plugin processed 1 SQS messages
2026-11-22 10:52:32 INFO [lambda] ESM: Lambda memory-server-plugin-my_plugin output:
{"message":"New memory created: 1"}
printed
2026-11-22 10:52:33 INFO [lambda] ESM: Lambda memory-server-plugin-not_my_plugin output:
{"message":"another's"}
2026-11-22 10:52:34 INFO [lambda] Lambda memory-server-plugin-my_plugin async output (attempt 1):
{"message":"fired"}
2026-11-22 10:52:52 INFO [ministack] MiniStack shutting down...
"""
BEFORE = """\
2026-11-21 10:00:00 INFO [lambda] Lambda memory-server-plugin-my_plugin output:
{"message":"yesterday"}
"""


def test_the_lines_of_the_plugin_alone_are_found_in_the_order_of_time(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "aws.log").write_text(NOW)
    (tmp_path / "logs" / "aws.log.1").write_text(BEFORE)
    assert list(plugin_lines(tmp_path, "my_plugin")) == [
        '{"message":"yesterday"}',
        '{"message":"New memory created: 1"}',
        "printed",
        '{"message":"fired"}',
    ]


def test_where_there_is_no_log_there_is_no_line(tmp_path: Path) -> None:
    assert list(plugin_lines(tmp_path, "my_plugin")) == []
