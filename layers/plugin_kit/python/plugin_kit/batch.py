"""The records of one invocation, delivered one by one: read, leased, deduplicated, called, counted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError
from aws_lambda_powertools.utilities.typing import LambdaContext

from plugin_kit.errors import HookFailed, NoTimeLeft, PluginDisabled
from plugin_kit.json_types import JsonObject
from plugin_kit.lease import Lease
from plugin_kit.messages import Message, MessageOfErased, key_of
from plugin_kit.outcomes import DIED, Outcome, Result, health_text

if TYPE_CHECKING:
    from plugin_kit.delivery import Deliveries

_MAX_BACKOFF_SECONDS: Final = 8
_MARGIN_SECONDS: Final = 1.0  # for what comes after the last hook


class Batch:
    """The deliveries of one invocation."""

    def __init__(self, deliveries: Deliveries, context: LambdaContext) -> None:
        self._all = deliveries
        self._context = context
        self._log = deliveries.logger
        self._log.append_keys(request_id=context.aws_request_id)
        self._lease = Lease(self._ask)
        self._ledger = deliveries.open_ledger()
        self._suspects: dict[str, datetime] = {}

    def ordered(self, records: Sequence[JsonObject]) -> list[JsonObject]:
        """Return ``records`` with those last whose previous attempt ended the process: they may take it along again."""
        for record in records:
            attributes = cast("Mapping[str, str]", record["attributes"])
            key = key_of(str(record["body"])) if int(attributes["ApproximateReceiveCount"]) > 1 else None
            over_at = self._all.deduplication.unfinished_until(key) if key else None
            if over_at is not None and over_at <= datetime.now(UTC):
                self._suspects[str(record["messageId"])] = over_at
        return sorted(records, key=lambda record: record["messageId"] in self._suspects)

    def deliver(self, record: SQSRecord) -> None:
        """Deliver one record. Raises what made it fail: the record stays in the queue."""
        self._log.append_keys(message_id=record.message_id)
        message: Message | None = None
        try:
            self._require_time()
            message = self._all.reader.read(record.body)
            event = message.event
            self._log.append_keys(event_id=event.id, hook=event.hook, user_id=event.user_id)
            self._account_for_suspect(record, message)
            self._deliver(message, _attempt(record))
        except MessageOfErased as error:
            self._log.info("dropped: its user was erased")
            self._end(record, error.message, "dropped")
        except PluginDisabled:
            self._log.info("dropped: the plugin is disabled")
            self._end(record, message, "dropped")
        except Exception as error:
            self._put_back(record, message, error)
            raise
        else:
            self._ledger.done(record.receipt_handle)
        finally:
            self._log.remove_keys(["message_id", "event_id", "hook", "user_id"])

    def end(self) -> None:
        """Tell what became of the records."""
        self._ledger.flush()

    def _account_for_suspect(self, record: SQSRecord, message: Message) -> None:
        """Count the attempt that ended the process, and tell all that went well before this one may end it again."""
        over_at = self._suspects.get(record.message_id)
        if over_at is not None:
            self._log.error(DIED)
            attempt = _attempt(record) - 1
            self._ledger.count_if_new(message.outcome("failed", attempt=attempt, at=over_at, error=DIED))
            self._ledger.flush(delete_done=True)

    def _deliver(self, message: Message, attempt: int) -> None:
        self._require_enabled()
        ran: list[Outcome] = []

        def run() -> JsonObject:
            ran.append(self._run(message, attempt))
            return ran[0].to_dict()

        remembered = self._all.deduplication.once(message.key, run)
        if ran:
            self._ledger.count(ran[0])
            self._log.info("delivered")
        elif remembered and attempt > 1:
            self._ledger.count_if_new(Outcome.delivered_before(message.event.id, remembered))
        self._ledger.finish(message.event, "delivered")

    def _run(self, message: Message, attempt: int) -> Outcome:
        host, event = self._all.host, message.event
        host.initialize(event, self._seconds_left())
        # Asked again, now that only the hook is left to do: what came before may have outlasted the lease.
        self._require_enabled()
        calls = {"hook": host.dispatch, "schedule": host.run_schedule, "task": host.run_task}
        ran = calls[message.kind](event, self._seconds_left())
        health = health_text(ran.returned) if event.hook == "health_check" and message.kind == "hook" else None
        return message.outcome("delivered", attempt=attempt, milliseconds=ran.milliseconds, health=health)

    def _put_back(self, record: SQSRecord, message: Message | None, error: Exception) -> None:
        if isinstance(error, NoTimeLeft):
            self._log.info("put off: the records before took all the time")
            self._ledger.retry(record.receipt_handle, 0)
        elif isinstance(error, IdempotencyAlreadyInProgressError) and message is not None:
            self._log.info("put off: another invocation is delivering the same event")
            over_at = self._all.deduplication.unfinished_until(message.key) or datetime.now(UTC)
            seconds = math.ceil((over_at - datetime.now(UTC)).total_seconds()) + 1
            self._ledger.retry(record.receipt_handle, max(1, seconds))
        else:
            self._log.exception("failed")
            self._end(record, message, "failed", error)
            self._ledger.retry(record.receipt_handle, retry_delay(_attempt(record)))

    def _end(self, record: SQSRecord, message: Message | None, result: Result, error: Exception | None = None) -> None:
        """Count a record that was dropped or failed; without a ``message``, it could not be read."""
        attempt = _attempt(record)
        text = None if error is None else self._all.describe_error(error)
        milliseconds = error.milliseconds if isinstance(error, HookFailed) else None
        if message is None:
            self._ledger.count(Outcome(event_id=record.message_id, hook="", result=result, attempt=attempt, error=text))
            return
        self._ledger.count(message.outcome(result, attempt=attempt, error=text, milliseconds=milliseconds))
        if result == "dropped":
            self._ledger.done(record.receipt_handle)
        if result == "dropped" or attempt >= self._all.settings.max_receives:
            self._ledger.finish(message.event, result)

    def _ask(self) -> bool:
        state = self._all.records.read()
        self._all.host.configure(state)
        return state.enabled

    def _require_time(self) -> None:
        if self._seconds_left() == 0:
            raise NoTimeLeft

    def _require_enabled(self) -> None:
        if not self._lease.holds():
            raise PluginDisabled

    def _seconds_left(self) -> float:
        return max(0.0, self._context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS)


def retry_delay(receives: int) -> int:
    """Return after how many seconds a message that failed at its ``receives``-th receive comes again: 1, 2, 4, 8, 8."""
    return min(2 ** (receives - 1), _MAX_BACKOFF_SECONDS)


def _attempt(record: SQSRecord) -> int:
    return int(record.attributes.approximate_receive_count)
