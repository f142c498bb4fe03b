"""One worker process as the server sees it: a socket, the calls sent over it and those that wait.

A link is one generation of a worker. When its process dies, so does the link, and no reply that was on
its way can be taken for anything else: that is all the fencing there is.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from app import logs
from app.channel import Batches, Calls, Kind, read_answers
from app.errors import CallTimedOut, EnvironmentLost, Overloaded
from app.memory import waited_seconds

log = logging.getLogger(__name__)

WINDOW = 16
"""Calls that are sent at once. The next ones wait until these are answered, for two reasons: a write that
wakes the worker costs more than all else that is done for a call here (Nagle, RFC 896), and what has not been
sent can still be made elsewhere."""
HELD_SECONDS = 0.1
"""Most calls take less."""


@dataclass(slots=True, eq=False)
class Call:
    """One call on its way."""

    number: int
    kind: Kind
    session_id: str
    body: bytes
    answer: asyncio.Future[Any]
    seconds: float
    submitted: float
    is_alone: bool
    """Not to be sent together with others: it may end the worker, and then it must be clear who did."""
    began: float = 0.0
    """When the worker had nothing else to do before it; an estimate, never too early."""


class Link(asyncio.Protocol):
    """The server's end of a worker's socket."""

    def __init__(
        self,
        *,
        name: str,
        pid: int,
        kill: Callable[[], None],
        lost: Callable[[Link], None],
        slow: Callable[[Link], None],
        free: Callable[[Link], None],
        patience_seconds: float,
        kill_seconds: float,
    ) -> None:
        self.name = name
        self.pid = pid
        self.was_told_to_end = False
        self.sessions = 0
        """Environments that live there."""
        self.is_accepting = True
        """Whether new calls may be made; a link that is not is given up when its calls have ended."""
        self.long_call: Call | None = None
        """The call that the worker is left to: until it ends, those of other sessions are made elsewhere."""
        self._kill = kill
        self._lost = lost
        self._slow = slow
        self._free = free
        self._patience_seconds = patience_seconds
        self._kill_seconds = kill_seconds
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._batches = Batches()
        self._sent: dict[int, Call] = {}
        self._queue: deque[Call] = deque()
        """Not sent yet."""
        self._outbox = Calls()
        self._will_flush = False
        self._number = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = math.inf
        self._context = contextvars.Context()
        """The alarm's own, or its log lines would carry the ids of whoever set it."""
        self._waited = waited_seconds(pid)
        """For how long the worker had waited for a core when the clock was looked at last: so soon after a
        call is made that little of what it waited before counts as part of the call ..."""
        self._waited_before: tuple[int, float] = (0, 0.0)
        """... and before the call of this number."""

    @property
    def waiting(self) -> int:
        """Number of calls that are not answered yet."""
        return len(self._sent) + len(self._queue)

    @property
    def is_held(self) -> bool:
        """Whether the worker is in one call for longer than most calls take."""
        head = self._head
        return head is not None and self._loop.time() - head.began > HELD_SECONDS

    @property
    def _head(self) -> Call | None:
        """The call that runs."""
        return next(iter(self._sent.values()), None)

    def serves(self, session_id: str) -> bool:
        """Say whether a session that lives here can be called here."""
        return self.is_accepting and (self.long_call is None or self.long_call.session_id == session_id)

    # --- calls ------------------------------------------------------------------------------------

    def call(
        self, kind: Kind, session_id: str, body: bytes, *, seconds: float, is_alone: bool = False
    ) -> asyncio.Future[Any]:
        """Make a call; its future may raise ``EnvironmentLost``, ``CallTimedOut`` or ``Overloaded`` too."""
        self._number = self._number % 0xFFFFFFFF + 1
        now = self._loop.time()
        answer = self._loop.create_future()
        self._queue.append(Call(self._number, kind, session_id, body, answer, seconds, now, is_alone))
        if not self._sent and not self._will_flush:
            self._flush_soon()
        self._watch(now + min(seconds, HELD_SECONDS))
        return answer

    def discard(self, session_id: str) -> None:
        """Tell the worker to forget an environment, once its running call is over."""
        for call in [call for call in self._queue if call.session_id == session_id]:
            self._queue.remove(call)  # or it would come after the end of its environment
            _fail(call, EnvironmentLost(session_id))
        self._outbox.add(0, Kind.DISCARD, session_id)
        if not self._will_flush:
            self._flush_soon()

    def retire(self) -> None:
        """Take no more calls, and end when those that were made have ended."""
        self.is_accepting = False
        self.was_told_to_end = True
        if not self.waiting:
            self.end()

    def evacuate(self) -> None:
        """Leave the worker to the call that runs, and give back those that wait behind it."""
        self.long_call = self._head
        behind = [call for call in self._sent.values() if call is not self.long_call] + list(self._queue)
        self._queue.clear()
        for call in behind:  # those that were sent are carried out, for nobody
            _fail(call, EnvironmentLost(call.session_id))

    def end(self) -> None:
        """Close the socket; the worker ends when it notices."""
        self.is_accepting = False
        if self._transport is not None:
            self._transport.abort()

    def kill(self) -> None:
        """End the process now."""
        self._kill()
        self.end()

    def _flush_soon(self) -> None:
        """Send after this turn of the loop; where others may have something to say, after the next."""
        if self.sessions > 1:
            self._will_flush = True
            self._loop.call_soon(self._loop.call_soon, self._flush)
        else:
            self._flush()

    def _flush(self) -> None:
        """Send what waits to be sent, calls only if the worker has none."""
        if self._transport is None:
            return
        self._will_flush = False
        if not self._sent:
            self._take(self._loop.time())
        if self._outbox:
            self._transport.write(self._outbox.taken())

    def _take(self, now: float) -> None:
        """Put the next calls into the outbox."""
        queue, sent = self._queue, self._sent
        while queue and len(sent) < WINDOW and not (sent and queue[0].is_alone):
            call = queue.popleft()
            if call.answer.done():  # nobody waits any more
                continue
            if not sent:
                call.began = now
            sent[call.number] = call
            self._outbox.add(call.number, call.kind, call.session_id, call.body)
            if call.is_alone:
                break

    # --- answers ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to write."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without inheriting it
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Hand answers to those who wait."""
        for array, bodies in self._batches.read(data):
            for number, value in read_answers(array, bodies).items():
                call = self._sent.pop(number, None)
                if call is None or call.answer.done():
                    continue  # given up meanwhile
                if isinstance(value, Exception):
                    call.answer.set_exception(value)
                else:
                    call.answer.set_result(value)
        if not self._sent and self._queue:
            self._flush()
        if self._sent:
            now = self._loop.time()
            next(iter(self._sent.values())).began = now
            self._watch(now + self._patience_seconds)
        elif not self.is_accepting:
            self.end()
        if self.long_call is not None and self.long_call.number not in self._sent:
            self.long_call = None
            self._free(self)

    def connection_lost(self, _why: Exception | None) -> None:
        """Give every call back. One of those that were sent may be what ended the worker."""
        self.is_accepting = False
        self._transport = None
        if self._alarm is not None:
            self._alarm.cancel()
        sent, queued = list(self._sent.values()), list(self._queue)
        self._sent.clear()
        self._queue.clear()
        for call in sent:
            _fail(call, EnvironmentLost(call.session_id, had_begun=len(sent) == 1, is_suspect=True))
        for call in queued:
            _fail(call, EnvironmentLost(call.session_id))
        self._lost(self)

    # --- time -------------------------------------------------------------------------------------

    def _watch(self, when: float) -> None:
        """Look at the clock then, at the latest."""
        if when < self._alarm_at:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm_at = when
            self._alarm = self._loop.call_at(when, self._look, context=self._context)

    def _look(self) -> None:
        """Give up what took too long, go round a slow worker, kill one that hangs."""
        self._alarm, self._alarm_at = None, math.inf
        now = self._loop.time() + 0.001
        for call in [c for c in self._sent.values() if c.submitted + c.seconds <= now]:
            _fail(call, CallTimedOut(call.seconds))
        for call in [c for c in self._queue if c.submitted + c.seconds <= now]:
            self._queue.remove(call)
            _fail(call, Overloaded(call.seconds))
        waited, self._waited = self._waited, waited_seconds(self.pid)
        head = self._head
        if head is None:
            return
        logs.session_id.set(head.session_id)
        if self._waited_before[0] != head.number:
            self._waited_before = (head.number, waited)
        running = now - head.began - (self._waited - self._waited_before[1])
        if running >= self._kill_seconds:
            log.warning("worker %s hangs in a call of session %s; it is killed", self.name, head.session_id)
            self.kill()
            return
        if running >= self._patience_seconds and self.is_accepting and self.long_call is None:
            self._slow(self)
        self._watch_on(now, running)

    def _watch_on(self, now: float, running: float) -> None:
        until = [c.submitted + c.seconds - now for c in (*self._sent.values(), *self._queue)]
        until = [seconds for seconds in until if seconds > 0]
        until.append(self._kill_seconds - running)
        if self.long_call is None:
            until.append(max(HELD_SECONDS, self._patience_seconds - running))
        self._watch(now + max(0.001, min(until)))


def _fail(call: Call, error: Exception) -> None:
    if not call.answer.done():
        call.answer.set_exception(error)
        call.answer.exception()  # whoever waits will see it; nobody has to
