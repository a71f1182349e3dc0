"""Files stay small enough to be read at once."""

from __future__ import annotations

from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
MAX_LINES: Final = 300


def test_no_module_asks_to_be_two() -> None:
    modules = [path for top in ("layers", "functions", "plugins", "infra") for path in (REPOSITORY / top).rglob("*.py")]
    assert modules
    lengths = {str(path.relative_to(REPOSITORY)): len(path.read_text().splitlines()) for path in modules}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}
