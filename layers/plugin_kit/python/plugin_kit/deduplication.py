"""Each event reaches a plugin once, however often it is delivered: Powertools idempotency, by event id."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_REMEMBERED_SECONDS: Final = 7 * 24 * 3600


class Deduplication:
    """Runs something once an event. A run that raises is forgotten, so that the event can be tried again."""

    def __init__(self, client: DynamoDBClient, table: str, plugin_id: str) -> None:
        self._config = IdempotencyConfig(expires_after_seconds=_REMEMBERED_SECONDS, hash_function="sha256")
        store = DynamoDBPersistenceLayer(
            table_name=table,
            # The plugin's id is the leading key of all its records: its role may touch no others.
            key_attr="plugin_id",
            static_pk_value=plugin_id,
            sort_key_attr="event_id",
            expiry_attr="expires_at",
            boto3_client=client,
        )
        self._once = cast(
            "Callable[..., None]",
            idempotent_function(
                _run, data_keyword_argument="event_id", persistence_store=store, config=self._config, key_prefix="event"
            ),
        )

    def begin(self, context: LambdaContext) -> None:
        """Bound by this invocation's time how long a run that never ends keeps the event from others."""
        self._config.register_lambda_context(context)

    def once(self, event_id: str, action: Callable[[], None]) -> None:
        """Run ``action`` unless it has run for ``event_id`` before.

        Raises:
            IdempotencyAlreadyInProgressError: another invocation is at it now.
        """
        self._once(event_id=event_id, action=action)


def _run(*, event_id: str, action: Callable[[], None]) -> None:  # noqa: ARG001  # Powertools reads the id by its name
    action()
