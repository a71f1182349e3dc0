"""What waits in a plugin's queues is counted."""

from __future__ import annotations

import pytest

from memory_server.adapters.sqs_plugin_queues import SqsPluginQueues
from memory_server.domain.errors import Unavailable
from memory_server.services.plugin_ports import QueueDepth
from tests.fixtures.aws import AwsStack, make_registration


async def test_events_are_counted_that_wait_that_are_being_handled_and_that_are_dead(aws: AwsStack) -> None:
    queue = aws.clients.sqs.create_queue(QueueName="plugin")["QueueUrl"]
    dead = aws.clients.sqs.create_queue(QueueName="plugin-dead")["QueueUrl"]
    for url, count in ((queue, 3), (dead, 2)):
        for number in range(count):
            aws.clients.sqs.send_message(QueueUrl=url, MessageBody=str(number))
    aws.clients.sqs.receive_message(QueueUrl=queue)
    registration = make_registration("analytics", queue_url=queue, dead_letter_queue_url=dead)
    assert await SqsPluginQueues(aws.clients.sqs).depth(registration) == QueueDepth(waiting=2, in_flight=1, dead=2)


async def test_a_queue_that_is_gone_is_unavailable(aws: AwsStack) -> None:
    with pytest.raises(Unavailable, match="plugin queues"):
        await SqsPluginQueues(aws.clients.sqs).depth(make_registration("analytics"))
