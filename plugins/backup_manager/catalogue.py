"""A list of a user's backups beside them, from which a server whose database is gone finds them again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import cast

from plugin_kit.json_types import dumps

from .checking import open_manifest
from .contents import digest
from .faults import Fault
from .work import MAY_PASS, Work


async def write_catalogue(work: Work) -> None:
    """Write the list anew. It names backups, keys and hashes: what a name leads to must open with its key."""
    entries = [
        {"id": backup.id, "key": backup.key_name, "manifest": backup.manifest_name, "sha256": backup.manifest_sha256}
        for backup in await work.backups.list(["complete"])
    ]
    try:
        await work.files.write(_name(work.user_id), dumps({"backups": entries}).encode())
    except MAY_PASS as error:
        work.logger.warning("the catalogue was not written, the next backup writes it: %s", error)


async def adopt_backups(work: Work) -> None:
    """Note the backups of the catalogue, where there is one; who cannot be opened is passed over with a warning."""
    try:
        entries = cast(
            "Mapping[str, Sequence[Mapping[str, str]]]", json.loads(await work.files.read(_name(work.user_id)))
        )
    except FileNotFoundError:
        return
    for entry in entries["backups"]:
        try:
            await _adopt(work, entry["id"], entry["key"], entry["manifest"], entry["sha256"])
        except (*MAY_PASS, Fault) as error:
            work.logger.warning("backup %s of the catalogue is not listed: %s", entry["id"], error)


async def _adopt(work: Work, backup_id: str, key_name: str, name: str, expected: str) -> None:
    seal = work.configuration.keys.to_open(key_name)
    sealed = await work.files.read(name)
    manifest = await asyncio.to_thread(open_manifest, sealed, backup_id, work.user_id, seal)
    if digest(sealed) == expected:
        await work.backups.adopt(manifest, key_name, name, expected)


def _name(user_id: str) -> str:
    return f"catalogues/{sha256(user_id.encode()).hexdigest()}.json"
