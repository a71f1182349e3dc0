"""Records of the plugin's queue, delivered one by one: read, leased, deduplicated, called, counted."""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Final, cast

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError
from aws_lambda_powertools.utilities.typing import LambdaContext

from plugin_kit.aws import Aws
from plugin_kit.deduplication import Deduplication
from plugin_kit.envelope import Event, decode
from plugin_kit.errors import EnvelopeError, HookFailed, InvalidPlugin, PluginDisabled
from plugin_kit.host import Host
from plugin_kit.json_types import JsonObject
from plugin_kit.lease import Lease
from plugin_kit.records import PluginRecords, Tally
from plugin_kit.settings import HostSettings

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import ChangeMessageVisibilityBatchRequestEntryTypeDef

_MAX_ERROR: Final = 500
_MAX_BACKOFF_SECONDS: Final = 8
_MAX_ENTRIES: Final = 10  # of one SQS call
_MARGIN_SECONDS: Final = 1.0  # for what comes after the last hook


class Deliveries:
    """What deliveries share from one invocation to the next."""

    def __init__(self, settings: HostSettings, aws: Aws, host: Host, logger: Logger) -> None:
        self.settings = settings
        self.aws = aws
        self.host = host
        self.logger = logger
        self.records = PluginRecords(aws.dynamodb, settings.plugins_table, settings.plugin_id)
        self.deduplication = Deduplication(aws.dynamodb, settings.deliveries_table, settings.plugin_id)

    def begin(self, context: LambdaContext) -> Batch:
        """Return the batch of a new invocation."""
        self.deduplication.begin(context)
        return Batch(self, context)


class Batch:
    """The deliveries of one invocation."""

    def __init__(self, deliveries: Deliveries, context: LambdaContext) -> None:
        self._all = deliveries
        self._context = context
        self._log = deliveries.logger
        # No invocation holds an event longer than this one could.
        self._longest_seconds = math.ceil(context.get_remaining_time_in_millis() / 1000)
        self._lease = Lease(deliveries.records.is_enabled)
        self._tally = Tally()
        self._retries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = []

    def deliver(self, record: SQSRecord) -> None:
        """Deliver one record. Raises what made it fail: the record stays in the queue."""
        self._log.append_keys(message_id=record.message_id)
        try:
            event = self._read(record)
            self._log.append_keys(event_id=event.id, hook=event.hook)
            self._deliver(event)
        except PluginDisabled:
            self._log.info("dropped: the plugin is disabled")
        except IdempotencyAlreadyInProgressError:
            self._log.info("put off: another invocation is delivering the same event")
            self._retry(record, self._longest_seconds)
            raise
        except Exception as error:
            self._log.exception("failed")
            self._tally.count_failed(_described(error))
            self._retry(record, retry_delay(int(record.attributes.approximate_receive_count)))
            raise
        finally:
            self._log.remove_keys(["message_id", "event_id", "hook"])

    def end(self) -> None:
        """Let what failed come again soon, and count the batch's deliveries."""
        try:
            for start in range(0, len(self._retries), _MAX_ENTRIES):
                self._all.aws.sqs.change_message_visibility_batch(
                    QueueUrl=self._all.settings.queue_url, Entries=self._retries[start : start + _MAX_ENTRIES]
                )
            if self._tally.delivered or self._tally.failed:
                self._all.records.add(self._tally)
        except Exception:  # noqa: BLE001  # the hooks have run: SQS must hear of it, whatever this costs
            self._log.exception("retries could not be hastened, or the batch not counted")

    def _deliver(self, event: Event) -> None:
        self._require_enabled()
        self._all.host.initialize(event, self._seconds_left())
        self._all.deduplication.once(event.id, lambda: self._call(event))

    def _call(self, event: Event) -> None:
        # Asked again, now that only the hook is left to do: what came before may have outlasted the lease.
        self._require_enabled()
        self._all.host.dispatch(event, self._seconds_left())
        self._tally.count_delivered()
        self._log.info("delivered")

    def _require_enabled(self) -> None:
        if not self._lease.holds():
            raise PluginDisabled

    def _read(self, record: SQSRecord) -> Event:
        body: object = json.loads(record.body)
        detail = cast("dict[str, object]", body).get("detail") if isinstance(body, dict) else None
        if not isinstance(detail, dict):
            raise EnvelopeError("the message is not an event of the bus: it has no detail")
        return decode(self._with_args(cast(JsonObject, detail)))

    def _with_args(self, detail: JsonObject) -> JsonObject:
        reference = cast("dict[str, str] | None", detail.get("args_ref"))
        if reference is None:
            return detail
        stored = self._all.aws.s3.get_object(Bucket=self._all.settings.events_bucket, Key=reference["key"])
        return {**detail, "args": json.loads(stored["Body"].read())}

    def _retry(self, record: SQSRecord, seconds: int) -> None:
        number = str(len(self._retries))
        self._retries.append({"Id": number, "ReceiptHandle": record.receipt_handle, "VisibilityTimeout": seconds})

    def _seconds_left(self) -> float:
        return max(0.0, self._context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS)


def retry_delay(receives: int) -> int:
    """Return after how many seconds a message that failed at its ``receives``-th receive comes again: 1, 2, 4, 8, 8."""
    return min(2 ** (receives - 1), _MAX_BACKOFF_SECONDS)


def _described(error: Exception) -> str:
    """Return what an operator reads of ``error``, without the credentials that a plugin finds in its environment."""
    named = isinstance(error, (HookFailed, InvalidPlugin))
    text = str(error) if named else f"{type(error).__name__}: {error}"
    for variable in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        secret = os.environ.get(variable)
        if secret:
            text = text.replace(secret, "[removed]")
    return text[:_MAX_ERROR]
