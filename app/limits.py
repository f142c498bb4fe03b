"""How many calls a second an address, and all of them together, may make. Loopback is not limited.

Token buckets that hold two seconds' worth. A request that finds its bucket empty is refused with 429 and told
when to come again; a frame of a socket waits instead, since an error would end a stock client's episode.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import lru_cache

from aiohttp import web

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
BURST_SECONDS = 2.0
MAX_ADDRESSES = 16_384
"""Addresses remembered at once; the longest silent one is forgotten first, its bucket being full by then."""
FREE = frozenset({"/health", "/ready", "/metrics"})
"""What probes ask for."""


class Bucket:
    """Calls that may be made; filled at a steady rate."""

    __slots__ = ("_at", "_full", "_rate", "_tokens")

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._full = max(1.0, rate * BURST_SECONDS)
        self._tokens = self._full
        self._at = now

    def wait(self, now: float) -> float:
        """Return the seconds until one more call may be made; 0: now."""
        self._tokens = min(self._full, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return 0.0 if self._tokens >= 1.0 else (1.0 - self._tokens) / self._rate

    def take(self) -> None:
        """Count a call."""
        self._tokens -= 1.0


class Limits:
    """The buckets of one server; a rate of 0 is none."""

    def __init__(
        self,
        *,
        per_address: float,
        total: float,
        trust_forwarded: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_address = per_address
        self._clock = clock
        self._trust_forwarded = trust_forwarded
        self._total = Bucket(total, clock()) if total else None
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def address_of(self, request: web.Request) -> str | None:
        """Return whom a request counts against, None if against nobody."""
        address = request.remote or ""
        if self._trust_forwarded and (forwarded := request.headers.getall("X-Forwarded-For", [])):
            address = forwarded[-1].rsplit(",", 1)[-1].strip()[:64]  # our own proxy adds to the end
        return payer_of(address)

    def wait(self, address: str | None) -> float:
        """Count a call of this address, or return the seconds until it may be made."""
        if address is None:
            return 0.0
        now = self._clock()
        buckets = [bucket for bucket in (self._total, self._bucket(address, now)) if bucket is not None]
        seconds = max((bucket.wait(now) for bucket in buckets), default=0.0)
        if not seconds:
            for bucket in buckets:
                bucket.take()
        return seconds

    def pacer(self, request: web.Request) -> Callable[[], Awaitable[None]] | None:
        """Return what a socket waits for before each frame; None if it need not."""
        address = self.address_of(request)
        if address is None or not (self._per_address or self._total):
            return None

        async def pace() -> None:
            while seconds := self.wait(address):  # noqa: ASYNC110 - tokens come with time, not by an event
                await asyncio.sleep(seconds)

        return pace

    def _bucket(self, address: str, now: float) -> Bucket | None:
        if not self._per_address:
            return None
        bucket = self._buckets.get(address)
        if bucket is None:
            bucket = self._buckets[address] = Bucket(self._per_address, now)
            if len(self._buckets) > MAX_ADDRESSES:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(address)
        return bucket


@lru_cache(4096)
def payer_of(address: str) -> str | None:
    """Return what an address counts as, None for this machine's own: without port and zone, IPv6 by its /64.

    A subscriber has a whole /64 (RFC 6177), and could call from another address every time.
    """
    bare = re.sub(r"^\[(.*)\](:\d+)?$|^([\d.]+):\d+$", r"\1\3", address).split("%", 1)[0]
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        return address or None
    found = getattr(found, "ipv4_mapped", None) or found
    if found.is_loopback:
        return None
    is_alone = found.version == 4 or found in _NAT64  # there everybody has one address
    return str(found if is_alone else ipaddress.ip_network((found, 64), strict=False))


LIMITS = web.AppKey("limits", Limits)
