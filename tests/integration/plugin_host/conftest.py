"""One plugin's part of the stack in moto, and its Lambda."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from tests.integration.plugin_host.gateway import GatewayApi, gateway_api
from tests.integration.plugin_host.stack import Stack


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    before = signal.getsignal(signal.SIGTERM)
    with mock_aws():
        made = Stack(tmp_path)
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def gateway(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[GatewayApi]:  # noqa: ARG001  # of the same AWS
    with gateway_api() as api:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", api.endpoint)
        yield api
