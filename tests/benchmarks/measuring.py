"""Many memories to measure with, and the memory that a plugin's processes take meanwhile."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil
import psycopg

from tests.e2e.stack import REPOSITORY

MODEL: Final[str] = json.loads((REPOSITORY / "layers/embedding_model/model/model.json").read_text())["model_id"]
_FILL: Final = """
    INSERT INTO memories (id, importance, deduplicate, user_id, project, memory_type, tags, metadata, content,
        content_sha256, embedding, embedding_model)
    SELECT uuidv7(), 0.5, true, 'local', 'project ' || number %% 10, 'knowledge', ARRAY['benchmark'], '{}', content,
        sha256(convert_to(content, 'UTF8')), (
            SELECT l2_normalize(array_agg(random() - 0.5 + 0 * (number + dimension))::vector(384)::halfvec)
            FROM generate_series(1, 384) AS dimension
        ), %s
    FROM (SELECT row_number() OVER () AS number, content FROM texts) AS numbered
"""


class Peak:
    """The highest resident memory of one process of the plugin's while the context lasts: ``mib``."""

    def __init__(self, processes: Callable[[], Iterable[psutil.Process]]) -> None:
        self.mib = 0.0
        self._processes = processes
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, traceback: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            for process in self._processes():
                self.mib = max(self.mib, _high_water(process.pid))


def _high_water(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def texts(count: int, file: Path | None) -> Iterator[str]:
    """Yield ``count`` texts that differ."""
    if file is None:
        yield from (f"{number}. The text of a memory, such as an agent writes them down." for number in range(count))
        return
    with gzip.open(file, "rt") as lines:
        for number, line in zip(range(count), lines, strict=False):
            yield f"{number}. {json.loads(line)['content']}"


def fill(dsn: str, count: int, file: Path | None, *, searched: bool) -> None:
    """Store ``count`` memories of the one user of this machine, with the indexes of searches if ``searched``."""
    with psycopg.connect(dsn) as connection:
        connection.execute("DROP INDEX memories_embedding, memories_keywords")
        connection.execute("CREATE TEMPORARY TABLE texts (content text)")
        with connection.cursor().copy("COPY texts FROM STDIN") as copy:
            for text in texts(count, file):
                copy.write_row([text])
        connection.execute(_FILL, [MODEL])
        if searched:
            connection.execute("SELECT make_search_indexes()")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE memories")
