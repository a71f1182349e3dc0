"""How jobs go on, step by step until a step ends them: as many in a task as there is time for.

What is delivered twice or lost on the way does no harm.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Final, cast

from plugin_kit.context import Context
from plugin_kit.errors import ServiceFailed
from plugin_kit.json_types import JsonObject
from plugin_kit.models import EndpointRequest

from . import exporting, importing
from .formats.faults import FormatError
from .jobs import Change, Job, JobFailed, Kind, State
from .requests import is_id
from .steps import Time
from .store import Store

MAX_ATTEMPTS: Final = 10
BUSY_SECONDS: Final = 5.0
"""For so long a task goes on to the next step; whoever asks how far it is may have to wait for it."""

_STEPS: Final[Mapping[State, Callable[[Job, Context, Time], AsyncGenerator[Change]]]] = {
    "writing": exporting.write,
    "joining": exporting.join,
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


async def job_of(request: EndpointRequest, context: Context, kind: Kind) -> Job | None:
    """Return the job whose id is in the path of ``request``; None where the user has none of that kind."""
    job_id = request.path_params["id"]
    job = await store_of(context).get(job_id) if is_id(job_id) else None
    return job if job is not None and job.kind == kind else None


async def proceed(job: Job, context: Context) -> None:
    """Start the next step of ``job``: a task of the plugin's own, or what the server does for it."""
    ask = _ASKED.get(job.state)
    if ask is not None:
        await ask(job, context)
    else:
        await _ask_for_work(job, context)


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
    """Do steps of a job, if the job is still where the task was to begin."""
    store = store_of(context)
    job = await store.begin(str(arguments["job"]), str(arguments["state"]), cast(int, arguments["step"]))
    if job is not None:
        await _go_on(job, context, comes_again=True)


async def answered(
    arguments: JsonObject, context: Context, change_of: Callable[[Job], Awaitable[Change]], state: State
) -> None:
    """Take over what the server answered to a job that asked it in ``state``, and go on."""
    store = store_of(context)
    job = await store.get(str(arguments["job"]))
    if job is None or job.state != state:
        return
    try:
        change = await change_of(job)
    except (FormatError, JobFailed) as error:
        await store.fail(job.id, _told(error))
    else:
        moved = await _move(job, change, context)
        if moved is not None:
            await _go_on(moved, context, comes_again=False)


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
    store = store_of(context)
    for job in await store.expired():
        await delete_files(job, context)
        await store.remove(job.id)


async def _go_on(first: Job, context: Context, *, comes_again: bool) -> None:
    """Do the next steps of a job. Where one fails, the task ``comes_again`` for the first of them alone."""
    job = first
    try:
        async for moved in _moves(first, context):
            job = moved
    except FormatError as error:
        await store_of(context).fail(job.id, _told(error))
    except FileNotFoundError:
        await store_of(context).fail(job.id, {"message": "its files are gone, they are kept for a day: start it again"})
    except Exception as error:
        if job.attempts >= MAX_ATTEMPTS:
            await _give_up(job, context, repr(error))
        elif job is not first or not comes_again:
            await _ask_for_work(job, context, delay_seconds=1)
        raise


async def _moves(job: Job, context: Context) -> AsyncGenerator[Job]:
    """Do steps of the job for as long as there is time, yield it after each, and start what comes then."""
    time = Time(BUSY_SECONDS)
    while (steps := _STEPS.get(job.state)) is not None:
        async with aclosing(steps(job, context, time)) as changes:
            async for change in changes:
                moved = await _move(job, change, context)
                if moved is None:
                    return
                job = moved
                yield job
        if time.is_up:
            break
    if job.is_running:
        await proceed(job, context)


async def _move(job: Job, change: Change, context: Context) -> Job | None:
    """Return the job as it is after ``change``; None where another task did that, or where it was deleted."""
    store, files = store_of(context), context["database_service"].files
    moved = await store.move(job, change)
    if moved is not None:
        for name in change.used:
            await files.delete(name)
    elif await store.get(job.id) is None:  # it was deleted meanwhile, and its files before this step wrote more
        await delete_files(replace(job, files={**job.files, **change.files}), context)
    return moved


async def delete_files(job: Job, context: Context) -> None:
    """Delete all files that the job may have."""
    for name in exporting.files_of(job) if job.kind == "export" else importing.files_of(job):
        await context["database_service"].files.delete(name)


async def _ask_for_work(job: Job, context: Context, *, delay_seconds: int = 0) -> None:
    at: JsonObject = {"job": job.id, "state": job.state, "step": job.step}
    await context["memory_service"].later("work", at, delay_seconds=delay_seconds)


def _told(error: FormatError | JobFailed) -> JsonObject:
    """Return what a client is told of ``error``."""
    if isinstance(error, JobFailed):
        return error.error
    return {"message": str(error), "line": error.line, "file": error.file, "field": error.field}


async def _give_up(job: Job, context: Context, why: str) -> None:
    message = f"{job.state} failed {job.attempts} times, the last time with {why}: start it again"
    await store_of(context).fail(job.id, {"message": message})
