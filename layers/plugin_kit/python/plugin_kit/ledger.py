"""What a batch has still to tell: outcomes to the statistics and the log, retries to the queue, ends to the server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger

from plugin_kit.aws import Aws
from plugin_kit.delivery_log import DeliveryLog
from plugin_kit.envelope import Event
from plugin_kit.erasures import Erasures
from plugin_kit.errors import PluginError
from plugin_kit.gateway import Gateway
from plugin_kit.outcomes import Outcome, Result
from plugin_kit.records import PluginRecords
from plugin_kit.settings import HostSettings
from plugin_kit.tally import Tally

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import (
        ChangeMessageVisibilityBatchRequestEntryTypeDef,
        DeleteMessageBatchRequestEntryTypeDef,
    )

_MAX_ENTRIES: Final = 10  # of one SQS call
_TRIES: Final = 2
_ERASED: Final = "an error of a user who was erased since"


@dataclass(slots=True)
class _Pages:
    counted: list[Outcome] = field(default_factory=list[Outcome])
    entries: list[Outcome] = field(default_factory=list[Outcome])
    retries: dict[str, int] = field(default_factory=dict[str, int])
    finished: list[tuple[Event, Result]] = field(default_factory=list[tuple[Event, Result]])
    done: list[str] = field(default_factory=list[str])


class Ledger:
    """Collects, and tells all at once when it is flushed. What cannot be told costs no more than a line of the log."""

    def __init__(
        self,
        settings: HostSettings,
        aws: Aws,
        records: PluginRecords,
        log: DeliveryLog,
        erasures: Erasures,
        logger: Logger,
    ) -> None:
        self._settings = settings
        self._aws = aws
        self._erasures = erasures
        self._records = records
        self._log = log
        self._logger = logger
        self._pages = _Pages()

    def count(self, outcome: Outcome) -> None:
        """Count ``outcome`` and log it."""
        self._pages.counted.append(outcome)
        self._pages.entries.append(outcome)

    def count_if_new(self, outcome: Outcome) -> None:
        """Count ``outcome`` of an earlier invocation, which may have ended before it could."""

        def count() -> None:
            if self._log.write_if_new(outcome):
                self._pages.counted.append(outcome)

        self._try("an earlier delivery could not be counted", count)

    def retry(self, receipt_handle: str, seconds: int) -> None:
        """Let a message come again in ``seconds``."""
        self._pages.retries[receipt_handle] = seconds

    def finish(self, event: Event, result: Result) -> None:
        """Tell the server, where plugins of lower priority wait, that ``event`` is over for this plugin."""
        if event.sequenced:
            self._pages.finished.append((event, result))

    def done(self, receipt_handle: str) -> None:
        """Note that a message needs not come again."""
        self._pages.done.append(receipt_handle)

    def flush(self, *, delete_done: bool = False) -> None:
        """Tell all; ``delete_done`` also takes off the queue what Lambda would once the batch has ended."""
        pages, self._pages = self._pages, _Pages()
        self._try("retries could not be hastened", lambda: self._hasten(pages.retries))
        if pages.counted:
            self._try("the deliveries could not be counted", lambda: self._add(pages.counted))
        if pages.entries:
            self._try("the deliveries could not be logged", lambda: self._write(pages.entries))
        if pages.finished:
            self._finish(pages.finished)
        if delete_done and pages.done:
            self._try("what is done could not be taken off the queue", lambda: self._delete(pages.done))

    def _try(self, otherwise: str, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception:
            # The hooks have run: SQS must hear of it, whatever else fails.
            self._logger.exception(otherwise)

    def _hasten(self, retries: dict[str, int]) -> None:
        entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
            {"Id": str(number), "ReceiptHandle": receipt_handle, "VisibilityTimeout": seconds}
            for number, (receipt_handle, seconds) in enumerate(retries.items())
        ]
        for start in range(0, len(entries), _MAX_ENTRIES):
            self._aws.sqs.change_message_visibility_batch(
                QueueUrl=self._settings.queue_url, Entries=entries[start : start + _MAX_ENTRIES]
            )

    def _delete(self, done: Sequence[str]) -> None:
        entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
            {"Id": str(number), "ReceiptHandle": receipt_handle} for number, receipt_handle in enumerate(done)
        ]
        for start in range(0, len(entries), _MAX_ENTRIES):
            self._aws.sqs.delete_message_batch(
                QueueUrl=self._settings.queue_url, Entries=entries[start : start + _MAX_ENTRIES]
            )

    def _add(self, counted: Sequence[Outcome]) -> None:
        tally = Tally()
        for outcome in counted:
            tally.count(self._without_erased(outcome))
        if tally and self._records.add(tally) >= self._settings.failure_limit:
            self._tell("plugin.failing", {}, grant=None)

    def _write(self, entries: Sequence[Outcome]) -> None:
        unwritten = self._log.write([self._without_erased(outcome) for outcome in entries])
        if unwritten:
            self._logger.warning("%s deliveries could not be logged: DynamoDB had no capacity", unwritten)

    def _without_erased(self, outcome: Outcome) -> Outcome:
        """Return ``outcome`` without an error that may quote what was of somebody who is erased by now."""
        if outcome.error is None or outcome.since is None:
            return outcome
        gone = self._erasures.gone(outcome.user_id, outcome.since, now=True)
        return replace(outcome, error=_ERASED, user_id=None) if gone else outcome

    def _finish(self, finished: Sequence[tuple[Event, Result]]) -> None:
        with ThreadPoolExecutor(max_workers=len(finished)) as threads:
            for event, result in finished:
                threads.submit(self._tell, "event.finished", {"outcome": result}, grant=event.grant)

    def _tell(self, operation: str, arguments: dict[str, str], *, grant: str | None) -> None:
        gateway = Gateway(self._aws, self._settings.gateway_alias_arn, grant)
        for _ in range(_TRIES):
            try:
                gateway.ask(operation, arguments)
            except PluginError as error:
                self._logger.warning("%s", error)
            else:
                return
