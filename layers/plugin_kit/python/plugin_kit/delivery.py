"""What deliveries share from one invocation to the next."""

from __future__ import annotations

from typing import Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from plugin_kit.aws import Aws
from plugin_kit.batch import Batch
from plugin_kit.deduplication import Deduplication
from plugin_kit.delivery_log import DeliveryLog
from plugin_kit.errors import HookFailed, InitializeFailed, InvalidPlugin
from plugin_kit.host import Host
from plugin_kit.ledger import Ledger
from plugin_kit.messages import MessageReader
from plugin_kit.output import Output
from plugin_kit.records import PluginRecords
from plugin_kit.settings import HostSettings

_MAX_ERROR: Final = 500


class Deliveries:
    """The host of the plugin and all that it reads from and writes to."""

    def __init__(self, settings: HostSettings, aws: Aws, host: Host, output: Output, logger: Logger) -> None:
        self.settings = settings
        self.host = host
        self.output = output
        self.logger = logger
        self.reader = MessageReader(aws, settings.events_bucket, host.erasures)
        self.records = PluginRecords(aws.dynamodb, settings.plugins_table, settings.plugin_id)
        self.deduplication = Deduplication(aws.dynamodb, settings.deliveries_table, settings.plugin_id)
        self._log = DeliveryLog(aws.dynamodb, settings.delivery_log_table, settings.plugin_id)
        self._aws = aws

    def begin(self, context: LambdaContext) -> Batch:
        """Return the batch of a new invocation."""
        self.output.begin()
        self.deduplication.begin(context)
        return Batch(self, context)

    def open_ledger(self) -> Ledger:
        """Return the ledger of a new batch."""
        return Ledger(self.settings, self._aws, self.records, self._log, self.host.erasures, self.logger)

    def describe_error(self, error: Exception) -> str:
        """Return what an operator reads of ``error``: bounded, and without what must not be shown."""
        named = isinstance(error, (HookFailed, InitializeFailed, InvalidPlugin))
        return self.output.redact(str(error) if named else f"{type(error).__name__}: {error}")[:_MAX_ERROR]
