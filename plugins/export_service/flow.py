"""How jobs go on: a task a step, until a step ends them. What is delivered twice or lost on the way does no harm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, cast

from plugin_kit.context import Context
from plugin_kit.errors import ServiceFailed
from plugin_kit.json_types import JsonObject

from . import exporting, importing
from .formats.faults import FormatError
from .jobs import Change, Job, JobFailed, State
from .store import Store

MAX_ATTEMPTS: Final = 10
_STEPS: Final[Mapping[State, Callable[[Job, Context], Awaitable[Change]]]] = {
    "writing": exporting.write_chunk,
    "joining": exporting.join_chunks,
    "unpacking": importing.unpack,
    "checking": importing.check,
}
_ASKED: Final[Mapping[State, Callable[[Job, Context], Awaitable[None]]]] = {
    "snapshot": exporting.take_snapshot,
    "storing": importing.load,
}


def store_of(context: Context) -> Store:
    """Return what the plugin keeps for the user of ``context``."""
    return Store(context["database_service"], str(context["user_id"]))


async def proceed(job: Job, context: Context) -> None:
    """Start the next step of ``job``: a task of the plugin's own, or what the server does for it."""
    ask = _ASKED.get(job.state)
    if ask is not None:
        await ask(job, context)
    else:
        await context["memory_service"].later("work", {"job": job.id, "state": job.state, "step": job.step})


async def start(job: Job, context: Context) -> None:
    """Start the first step of a new job, or forget the job.

    Raises:
        ServiceFailed: it could not be started.
    """
    try:
        await proceed(job, context)
    except ServiceFailed:
        await store_of(context).remove(job.id)
        raise


async def work(arguments: JsonObject, context: Context) -> None:
    """Do one step of a job, if the job is still at it."""
    store = store_of(context)
    job = await store.begin(str(arguments["job"]), str(arguments["state"]), cast(int, arguments["step"]))
    if job is None:
        return
    try:
        change = await _STEPS[job.state](job, context)
    except FormatError as error:
        places = {"line": error.line, "file": error.file, "field": error.field}
        await store.fail(job.id, {"message": str(error), **places})
    except FileNotFoundError:
        await store.fail(job.id, {"message": "its files are gone, they are kept for a day: start it again"})
    except Exception as error:
        if job.attempts >= MAX_ATTEMPTS:
            await _give_up(job, context, repr(error))
        raise
    else:
        await _advance(job, change, context)


async def answered(arguments: JsonObject, context: Context, change_of: Callable[[], Change], state: State) -> None:
    """Take over what the server answered to a job that asked it in ``state``."""
    store = store_of(context)
    job = await store.get(str(arguments["job"]))
    if job is None or job.state != state:
        return
    try:
        change = change_of()
    except JobFailed as error:
        await store.fail(job.id, error.error)
    else:
        await _advance(job, change, context)


async def take_up(context: Context) -> None:
    """Start the step again of each job of the user that does not move."""
    store = store_of(context)
    for job in await store.take_stale():
        if job.attempts >= MAX_ATTEMPTS:
            await _give_up(job, context, "no step of it ended in time")
            continue
        context["logger"].info("job %s is taken up at %s %s", job.id, job.state, job.step)
        if job.state in _ASKED:
            await store.begin(job.id, job.state, job.step)
        await proceed(job, context)


async def forget_expired(context: Context) -> None:
    """Forget the jobs of the user whose time is over, with their files."""
    store, files = store_of(context), context["database_service"].files
    for job in await store.expired():
        for name in exporting.files_of(job) if job.kind == "export" else ():
            await files.delete(name)
        await store.remove(job.id)


async def _advance(job: Job, change: Change, context: Context) -> None:
    store, files = store_of(context), context["database_service"].files
    moved = await store.move(job, change)
    if moved is None:
        if await store.get(job.id) is None:  # it was deleted meanwhile, and its files before this step wrote one more
            for name in exporting.files_of(job):
                await files.delete(name)
        return
    if moved.is_running:
        await proceed(moved, context)
    for name in change.used:
        await files.delete(name)


async def _give_up(job: Job, context: Context, why: str) -> None:
    message = f"{job.state} failed {job.attempts} times, the last time with {why}: start it again"
    await store_of(context).fail(job.id, {"message": message})
