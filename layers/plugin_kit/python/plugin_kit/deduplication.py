"""Each event reaches a plugin once, however often it is delivered: Powertools idempotency, by event id."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyItemNotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from plugin_kit.json_types import JsonObject

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

# Longer than a queue or the outbox keeps an event: none comes again after it was forgotten.
_REMEMBERED_SECONDS: Final = 15 * 24 * 3600
_PREFIX: Final = "event"


class Deduplication:
    """Runs something once a key. A run that raises is forgotten, so that the event can be tried again."""

    def __init__(self, client: DynamoDBClient, table: str, plugin_id: str) -> None:
        self._config = IdempotencyConfig(expires_after_seconds=_REMEMBERED_SECONDS, hash_function="sha256")
        self._store = DynamoDBPersistenceLayer(
            table_name=table,
            # The plugin's id is the leading key of all its records: its role may touch no others.
            key_attr="plugin_id",
            static_pk_value=plugin_id,
            sort_key_attr="event_id",
            expiry_attr="expires_at",
            boto3_client=client,
        )
        self._store.configure(self._config, key_prefix=_PREFIX)
        self._once = cast(
            "Callable[..., JsonObject | None]",
            idempotent_function(
                _run,
                data_keyword_argument="key",
                persistence_store=self._store,
                config=self._config,
                key_prefix=_PREFIX,
            ),
        )

    def begin(self, context: LambdaContext) -> None:
        """Bound by this invocation's time how long a run that never ends keeps the event from others."""
        self._config.register_lambda_context(context)

    def once(self, key: str, action: Callable[[], JsonObject]) -> JsonObject | None:
        """Run ``action`` unless it has run for ``key`` before; return what it returned, now or then.

        Raises:
            IdempotencyAlreadyInProgressError: another invocation is at it now.
        """
        return self._once(key=key, action=action)

    def unfinished_until(self, key: str) -> datetime | None:
        """Return when the time of a run that began for ``key`` and has not ended is over, None where there is none.

        Where that time has passed, the process ended during the run.
        """
        try:
            # Powertools takes the data of any type: its annotation names the usual one.
            record = self._store.get_record(cast("dict[str, object]", key))
        except IdempotencyItemNotFoundError:
            return None
        milliseconds = record.in_progress_expiry_timestamp if record and record.status == "INPROGRESS" else None
        return None if milliseconds is None else datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _run(*, key: str, action: Callable[[], JsonObject]) -> JsonObject:  # noqa: ARG001  # Powertools reads the key by its name
    return action()
