"""The plugin over real PostgreSQL, and receivers on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.fixtures import plugin_database
from tests.fixtures.plugin_database import PostgresDatabaseService
from tests.fixtures.postgres import TestDatabase
from tests.plugins.notification_service.notifier import Notifier
from tests.plugins.notification_service.receivers import HttpReceiver, SmtpReceiver


@pytest.fixture
async def database_service(database: TestDatabase) -> AsyncIterator[PostgresDatabaseService]:
    async with plugin_database.empty_schema(database, "notification_service") as service:
        yield service


@pytest.fixture
async def notifier(database_service: PostgresDatabaseService) -> Notifier:
    """The plugin, for which the operator has allowed loopback."""
    notifier = Notifier(database_service)
    await notifier.initialize()
    return notifier


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with HttpReceiver.running() as running:
        yield running


@pytest.fixture
def mail_server() -> Iterator[SmtpReceiver]:
    with SmtpReceiver.running() as running:
        yield running
