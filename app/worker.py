"""A worker process: environments of many sessions, one call after another.

It is forked from a warm parent (``app.parent``), serves one socket, and ends when that closes. It
keeps nothing that the server could not make again elsewhere from a session's record.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress

from app import logs
from app.channel import Answers, Batches, Kind, Outcome, read_history
from app.encoding import loads
from app.hosting import Factory, Hosted, Reply
from molforge.errors import MolforgeError

log = logging.getLogger(__name__)

AWAKE_SECONDS = 0.001
"""For so long a worker of one session looks for its next call before it sleeps, if the last came as soon."""
FLUSH_SECONDS = 0.0005
"""Answers wait for others at most so long before they are sent."""
_CHUNK = 1 << 16
"""Bytes read at once; the C library asks the system anew for every buffer that is much larger."""
_DISCARD = int(Kind.DISCARD)


class Worker:
    """The environments of one process."""

    def __init__(self, factory: Factory) -> None:
        self._factory = factory
        self._hosted: dict[str, Hosted] = {}
        self._is_brisk = False
        """The last call came at once after the answer before it."""
        self._ways: dict[int, Callable[[str, bytes], Reply | bytes]] = {
            int(Kind.OPEN): self._open,
            int(Kind.RESET): lambda session_id, body: self._hosted[session_id].reset(loads(body)),
            int(Kind.STEP): lambda session_id, body: self._hosted[session_id].step(loads(body)),
            int(Kind.STATE): lambda session_id, _: self._hosted[session_id].state(),
        }

    def serve(self, link: socket.socket) -> None:
        """Answer until the other end closes."""
        batches, answers = Batches(), Answers()
        while data := self._next(link):
            flushed = time.monotonic()
            for calls, bodies in batches.read(data):
                begin = 0
                for number, kind, session_id, size in calls:
                    end = begin + size
                    if kind == _DISCARD:
                        self._discard(session_id)
                        continue
                    answers.add(number, self._outcome(kind, session_id, bodies[begin:end]))
                    begin = end
                    if (now := time.monotonic()) - flushed > FLUSH_SECONDS:
                        link.sendall(answers.taken())
                        flushed = now
            if answers:
                link.sendall(answers.taken())

    def _next(self, link: socket.socket) -> bytes:
        """Wait for the next calls: awake for a moment where one session plays fast and alone.

        To wake a sleeping core takes longer (50 us) than all else that is done for a call. Who pauses
        between steps, as models do, finds the worker asleep.
        """
        asked = time.monotonic()
        while self._is_brisk and len(self._hosted) == 1 and time.monotonic() - asked < AWAKE_SECONDS:
            with suppress(BlockingIOError):
                return link.recv(_CHUNK, socket.MSG_DONTWAIT)
            os.sched_yield()
        data = link.recv(_CHUNK)
        self._is_brisk = time.monotonic() - asked < AWAKE_SECONDS
        return data

    def _outcome(self, kind: int, session_id: str, body: bytes) -> Outcome:
        try:
            return self._ways[kind](session_id, body)
        except MolforgeError as error:
            return error
        except Exception as error:  # a worker outlives whatever an environment does
            logs.session_id.set(session_id)
            log.exception("%s failed in session %s", Kind(kind).name, session_id)
            return error

    def _open(self, session_id: str, history: bytes) -> bytes:
        self._discard(session_id)
        hosted = Hosted(self._factory, session_id)
        hosted.play_again(read_history(history))
        self._hosted[session_id] = hosted
        return b""

    def _discard(self, session_id: str) -> None:
        if (hosted := self._hosted.pop(session_id, None)) is not None:
            hosted.close()
