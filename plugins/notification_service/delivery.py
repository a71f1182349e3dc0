"""Sends what is due."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject

from .addresses import Network
from .channels import Channel, Kind
from .composing import compose
from .errors import ChannelGone, DeliveryFailed, DeliveryRefused, NotificationError
from .message import Message
from .outbox import Outbox, Parcel
from .sealing import Sealer
from .senders import apprise_urls, mail, slack, webhook

RETRY_SECONDS: Final = (60, 300, 1800, 7200, 18_000, 36_000)
"""After the first, second, ... failed attempt: 17.6 hours in all."""

_SEND_SECONDS: Final = 12.0
_HOLD_SECONDS: Final = 60.0  # a receiver that failed gets nothing for so long
_SLOW_SECONDS: Final = 3.0
_AT_ONCE: Final = 8

_SENDERS: Final[Mapping[Kind, Callable[[Network, JsonObject, Message], None]]] = MappingProxyType(
    {"email": mail.send, "webhook": webhook.send, "slack": slack.send, "apprise": apprise_urls.send}
)


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Sends to the channels of all users: to each that it has begun with one message, and more until ``deadline``.

    One that is not ``patient`` leaves those out that were slow: the receivers of one user must not hold up the events
    of the others.
    """

    outbox: Outbox
    sealer: Sealer
    network: Network
    deadline: float  # of time.monotonic
    patient: bool

    @classmethod
    def of(cls, context: Context, *, seconds: float, patient: bool) -> Deliverer:
        """Return the deliverer of a call that has ``seconds``.

        Raises:
            KeyMissing: the operator has set no encryption key.
            InvalidSettings: the operator's allow_private_networks is wrong.
        """
        return cls(
            outbox=Outbox(context["database_service"]),
            sealer=Sealer.of(context),
            network=network_of(context),
            deadline=time.monotonic() + seconds,
            patient=patient,
        )

    async def deliver(self, channel_ids: Sequence[str]) -> None:
        """Send to each of the channels what is due. What fails is noted, and tried again later."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def in_turn(channel_id: str) -> None:
            async with gate:
                await self._empty(channel_id)

        await asyncio.gather(*(in_turn(channel_id) for channel_id in channel_ids))

    async def _empty(self, channel_id: str) -> None:
        if time.monotonic() >= self.deadline:
            return
        channel = await self.outbox.lease(channel_id, patient=self.patient)
        if channel is None:
            return
        hold, slow = 0.0, False
        try:
            while parcel := await self.outbox.take(channel_id):
                began = time.monotonic()
                hold = await self._deliver(channel, parcel)
                slow = slow or time.monotonic() - began > _SLOW_SECONDS
                if hold or time.monotonic() >= self.deadline:
                    break
        finally:
            await self.outbox.release(channel_id, hold, slow=slow)

    async def _deliver(self, channel: Channel, parcel: Parcel) -> float:
        """Send and note the outcome. Return for how many seconds the channel is to rest."""
        message = compose(parcel.message_id, parcel.notices, parcel.template, digest=parcel.digest)
        try:
            await send(self.network, self.sealer, channel, message)
        except ChannelGone as error:
            await self.outbox.failed(channel.id, parcel, str(error), None)
            await self.outbox.switch_off(channel.id, str(error))
        except DeliveryRefused as error:
            await self.outbox.failed(channel.id, parcel, str(error), None)
        except NotificationError as error:
            wanted = error.retry_after if isinstance(error, DeliveryFailed) else 0.0
            await self.outbox.failed(channel.id, parcel, str(error), _delay(parcel.attempts, wanted))
            return max(wanted, _HOLD_SECONDS)
        else:
            await self.outbox.sent(channel.id, parcel)
        return 0.0


def network_of(context: Context) -> Network:
    """Return the network that the operator allows."""
    config = context["server_config"]["config"]
    return Network.of(config.get("allow_private_networks") if isinstance(config, Mapping) else None)


async def send(network: Network, sealer: Sealer, channel: Channel, message: Message) -> None:
    """Send ``message`` to ``channel`` now.

    Raises:
        DeliveryFailed: it was not taken; one of the subclasses, where it never will be.
        KeyMissing: the channel's settings cannot be opened.
    """
    settings = sealer.open(channel.sealed, channel.id)
    try:
        async with asyncio.timeout(_SEND_SECONDS):
            await asyncio.to_thread(_SENDERS[channel.kind], network, settings, message)
    except TimeoutError:
        raise DeliveryFailed("the receiver did not answer in time") from None
    except NotificationError:
        raise
    except Exception as error:  # noqa: BLE001  # a library's message may hold the channel's credentials
        raise DeliveryFailed(f"the message could not be sent ({type(error).__name__})") from None


def _delay(attempts: int, wanted: float) -> float | None:
    """Return after how many seconds to try again, in no step with others; None after the last attempt."""
    if attempts > len(RETRY_SECONDS):
        return None
    return max(wanted, RETRY_SECONDS[attempts - 1] * random.uniform(1.0, 1.1))  # noqa: S311  # no secret
