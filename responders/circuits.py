"""Tells the platform's own desk of channels that are left alone: a case when one is, its end when it works again."""

import asyncio
from collections.abc import Iterable

import structlog

from responders import words
from responders.breaker import Guarded
from responders.cases import Rules
from responders.channels import Channel
from responders.loops import Health, wait_for
from responders.store import Store

log = structlog.get_logger()

LOOK_SECONDS = 2.0


async def tell_circuits(store: Store, rules: Rules, channels: Iterable[Channel]) -> None:
    """Open a case for each channel that is left alone, once, and end it when the channel is known to work.

    What an earlier process told is not known to this one: the first message that a channel takes ends its case, if there is
    one. DatabaseUnavailable passes through: nothing counts as told then, and it is told the next time.
    """
    for channel in channels:
        if not isinstance(channel, Guarded):
            continue
        name, fault = words.channel_name(channel.name), f"channel:{channel.name}"
        if channel.is_open and channel.told is not True:
            await store.workers.open_fault(
                fault,
                f"通知渠道“{name}”连续失败，已暂停使用，通知改走其他渠道",
                f"The channel {channel.name} failed again and again; pages take others",
                rules,
            )
            channel.told = True
            log.warning("channel_left_alone", channel=channel.name)
        elif channel.is_proven and channel.told is not False:
            zh, en = f"通知渠道“{name}”已恢复", f"The channel {channel.name} works again"
            if await store.workers.end_fault(fault, zh, en):
                log.info("channel_works_again", channel=channel.name)
            channel.told = False


async def run_circuits(
    store: Store, rules: Rules, channels: Iterable[Channel], health: Health, stopping: asyncio.Event
) -> None:
    """Look at the breakers every few seconds until stopping."""
    while not stopping.is_set():
        await tell_circuits(store, rules, channels)
        health.beat("circuits")
        await wait_for(stopping, LOOK_SECONDS)
