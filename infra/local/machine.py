"""The whole stack on one machine: brought up in order, watched over, and taken down in order."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from typing import Final, Self

import psycopg
from botocore.exceptions import BotoCoreError, ClientError
from psycopg import sql

from infra.local import checkpoint, deploy
from infra.local.api import Api
from infra.local.checkpoint import Queues
from infra.local.child import Child
from infra.local.data_folder import DataFolder
from infra.local.deploy import Database, Stack
from infra.local.emulator import Emulator
from infra.local.postgres import LocalPostgres
from infra.local.progress import Steps

_DATABASE: Final = "memory"
_CHECKPOINT_SECONDS: Final = 2.0
_DRAIN_SECONDS: Final = 3.0


class PartDied(Exception):
    """A process of the stack ended by itself; the message holds the end of its log."""


class Machine:
    """PostgreSQL, the AWS emulator with the stack in it, and the API on ``port``, over one data folder.

    A context manager: leaving takes down whatever is up.
    """

    def __init__(self, folder: DataFolder, port: int) -> None:
        self._folder = folder
        self._port = port
        self._postgres = LocalPostgres(folder.postgres)
        self._emulator = Emulator(folder.aws, folder.logs / "aws.log")
        self._down = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._down.close()

    def start(self, tell: Steps) -> None:
        """Bring everything up and return when the API is ready. Each part's own errors say what is the matter."""
        with tell.step("Starting PostgreSQL and the AWS emulator"):
            self._start_processes()
        with tell.step("Building functions and layers") as note:
            template, parameters = deploy.upload(self._emulator.aws, self._database(), note)
        with tell.step("Deploying the stack") as note:
            stack = deploy.create(self._emulator.aws, template, parameters, note)
        with tell.step("Starting the API"):
            self._serve(stack)

    def watch(self) -> None:
        """Note checkpoints until a part ends.

        Raises:
            PartDied: one did.
        """
        noted = time.monotonic()
        while True:
            time.sleep(0.2)
            for child in (self._api.child, self._emulator.child):
                _check(child)
            if time.monotonic() - noted > _CHECKPOINT_SECONDS:
                with suppress(BotoCoreError, ClientError):  # an emulator that is gone is for the next check to find
                    checkpoint.save(self._folder.checkpoint, self._queues)
                noted = time.monotonic()

    def _start_processes(self) -> None:
        self._down.callback(self._postgres.stop)
        self._api = Api(self._port, self._folder.logs / "api.log")  # it takes longest, and waits until it may serve
        self._down.callback(self._api.child.stop)
        self._emulator.start()
        self._down.callback(self._emulator.stop)
        self._postgres.start()
        _create_database(self._postgres.admin_dsn)
        self._emulator.wait()

    def _serve(self, stack: Stack) -> None:
        self._queues = Queues(self._emulator.aws.sqs, stack.queue_urls)
        self._down.callback(self._drain)
        checkpoint.publish_again(self._folder.checkpoint, self._postgres.dsn(_DATABASE))
        model = {"MODEL_PATH": str(deploy.MODEL)}  # it embeds in its own process
        self._api.serve({**stack.api_environment, **self._emulator.aws.environment, **model})
        deploy.relay(self._emulator.aws, stack)

    def _drain(self) -> None:
        """Stop the API, and give the plugins a moment to work off what waits for them."""
        self._api.child.stop()
        until = time.monotonic() + _DRAIN_SECONDS
        with suppress(BotoCoreError, ClientError):  # the emulator may be what died
            while not checkpoint.save(self._folder.checkpoint, self._queues) and time.monotonic() < until:
                time.sleep(0.05)

    def _database(self) -> Database:
        postgres = self._postgres
        return Database(
            host=postgres.host, port=postgres.port, name=_DATABASE, user=postgres.user, password=postgres.password
        )


def _check(child: Child) -> None:
    if child.exit_code is not None:
        raise PartDied(
            f"{child.name} ended with code {child.exit_code}. The end of {child.log_file}:\n{child.log_tail()}"
        )


def _create_database(admin_dsn: str) -> None:
    with psycopg.connect(admin_dsn, autocommit=True) as connection, suppress(psycopg.errors.DuplicateDatabase):
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_DATABASE)))
