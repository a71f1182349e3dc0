"""The whole stack on one machine: brought up in order, watched over, and taken down in order."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final, Self

import psycopg
from botocore.exceptions import BotoCoreError, ClientError
from psycopg import sql

from infra.local import checkpoint
from infra.local.api import Api, Door
from infra.local.checkpoint import Queues
from infra.local.child import Child
from infra.local.data_folder import DataFolder
from infra.local.emulator import Emulator
from infra.local.errors import CannotRun
from infra.local.first_key import first_key
from infra.local.model import MODEL
from infra.local.postgres import LocalPostgres
from infra.local.progress import Steps
from infra.local.settings import Settings

if TYPE_CHECKING:
    from infra.local.deploy import Stack

_DATABASE: Final = "memory"
_CHECKPOINT_SECONDS: Final = 2.0
_DRAIN_SECONDS: Final = 3.0


class Machine:
    """PostgreSQL, the AWS emulator with the stack in it, and the API at ``door``, over one data folder.

    A context manager: leaving takes down whatever is up.
    """

    def __init__(self, folder: DataFolder, door: Door, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._door = door
        self.first_key: str | None = None
        self._postgres = LocalPostgres(folder.postgres)
        self._emulator = Emulator(folder.aws, folder.logs / "aws.log", closed_port=door.port)
        self._down = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._down.close()

    def start(self, tell: Steps) -> Mapping[str, str]:
        """Bring everything up and return when the API is ready. Each part's own errors say what is the matter.

        What is returned says of each plugin that could not be deployed what is the matter. ``first_key`` is there then
        if people must sign in, and nobody could.
        """
        with tell.step("Starting PostgreSQL and the AWS emulator"):
            self._start_processes()
        stack, failed = self._deploy(tell)
        with tell.step("Starting the API"):
            self._serve(stack)
            if self._door.sign_in:
                self.first_key = first_key(self._emulator.aws, stack.outputs)
        return failed

    def watch(self) -> None:
        """Note checkpoints until a part ends.

        Raises:
            CannotRun: one did.
        """
        noted = time.monotonic()
        while True:
            time.sleep(0.2)
            for child in (self._api.child, self._emulator.child):
                _check(child)
            if not self._postgres.is_running:
                raise CannotRun(f"PostgreSQL ended. Its log is {self._postgres.log_file}")
            if time.monotonic() - noted > _CHECKPOINT_SECONDS:
                with suppress(BotoCoreError, ClientError):  # an emulator that is gone is for the next check to find
                    checkpoint.save(self._folder.checkpoint, self._queues)
                noted = time.monotonic()

    def _start_processes(self) -> None:
        self._down.callback(self._postgres.stop)
        self._api = Api(self._door, self._folder.logs / "api.log")  # it takes longest, and waits until it may serve
        self._down.callback(self._api.child.stop)
        self._emulator.start()
        self._down.callback(self._emulator.stop)
        self._postgres.start()
        _create_database(self._postgres.admin_dsn)
        self._emulator.wait()

    def _deploy(self, tell: Steps) -> tuple[Stack, Mapping[str, str]]:
        # SAM's translator takes a second to import: by now the processes use it too.
        from infra.local import deploy, plugins

        aws, postgres = self._emulator.aws, self._postgres
        database = deploy.Database(
            host=postgres.host, port=postgres.port, name=_DATABASE, user=postgres.user, password=postgres.password
        )
        with tell.step("Building functions and layers") as note:
            uploaded = deploy.upload(aws, database, self._settings, note)
        with tell.step("Deploying the stack") as note:
            stack = deploy.create(aws, uploaded, note)
        self._api.prepare({**stack.api_environment, "MODEL_PATH": str(MODEL)})  # it embeds in its own process
        with tell.step("Deploying the plugins"):
            failed = plugins.deploy(aws, uploaded.plugins, deploy.NAME, stack.outputs)
            plugins.forget_others(aws, uploaded.plugins.ids, stack.outputs, keep_data=self._settings.plugins.keep_data)
        self._queues = Queues(aws.sqs, deploy.queue_urls(aws))
        return stack, failed

    def _serve(self, stack: Stack) -> None:
        self._down.callback(self._drain)
        checkpoint.publish_again(self._folder.checkpoint, self._postgres.dsn(_DATABASE))
        self._api.serve()
        with suppress(BotoCoreError, ClientError):  # an emulator that is gone is for the watch to find
            self._hurry(stack)

    def _hurry(self, stack: Stack) -> None:
        """Have done now what would else keep the first events waiting."""
        functions = self._emulator.aws.functions
        # What is in the outbox goes out without waiting for the relay's schedule.
        functions.invoke(
            FunctionName=stack.relay_function, InvocationType="Event", Payload=json.dumps({"older_than_seconds": 0})
        )
        # An alias has processes of its own; a call that asks for nothing starts one.
        for alias in functions.list_aliases(FunctionName=stack.gateway_function)["Aliases"]:
            functions.invoke(
                FunctionName=stack.gateway_function,
                Qualifier=alias.get("Name", ""),
                InvocationType="Event",
                Payload="{}",
            )

    def _drain(self) -> None:
        """Stop the API, and give the plugins a moment to work off what waits for them."""
        self._api.child.stop()
        until = time.monotonic() + _DRAIN_SECONDS
        with suppress(BotoCoreError, ClientError):  # the emulator may be what died
            while not checkpoint.save(self._folder.checkpoint, self._queues) and time.monotonic() < until:
                time.sleep(0.05)


def _check(child: Child) -> None:
    if child.exit_code is not None:
        raise CannotRun(
            f"{child.name} ended with code {child.exit_code}. The end of {child.log_file}:\n{child.log_tail()}"
        )


def _create_database(admin_dsn: str) -> None:
    with psycopg.connect(admin_dsn, autocommit=True) as connection, suppress(psycopg.errors.DuplicateDatabase):
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_DATABASE)))
