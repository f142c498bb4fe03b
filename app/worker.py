"""A worker process: environments of many sessions, one call after another.

It is forked from a warm parent (``app.parent``), serves one socket, and ends when that closes. It
keeps nothing that the server could not make again elsewhere from a session's record.
"""

from __future__ import annotations

import logging
import socket
import time

from app.channel import Kind, Request, Requests, answer, read_history
from app.encoding import loads
from app.hosting import Factory, Hosted, Reply
from molforge.errors import MolforgeError

log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.0005
"""Answers wait for others at most so long before they are sent."""
_CHUNK = 1 << 18


class Worker:
    """The environments of one process."""

    def __init__(self, factory: Factory) -> None:
        self._factory = factory
        self._hosted: dict[str, Hosted] = {}

    def serve(self, link: socket.socket) -> None:
        """Answer until the other end closes."""
        requests = Requests()
        while data := link.recv(_CHUNK):
            waiting: list[bytes] = []
            flushed = time.monotonic()
            for request in requests.read(data):
                if request.kind is Kind.DISCARD:
                    self._discard(request.session_id)
                    continue
                waiting.append(answer(request.number, self._outcome(request)))
                if (now := time.monotonic()) - flushed > FLUSH_SECONDS:
                    link.sendall(b"".join(waiting))
                    waiting, flushed = [], now
            if waiting:
                link.sendall(b"".join(waiting))

    def _outcome(self, request: Request) -> Reply | bytes | Exception:
        try:
            return self._carry_out(request)
        except MolforgeError as error:
            return error
        except Exception as error:  # a worker outlives whatever an environment does
            log.exception("%s failed in session %s", request.kind.name, request.session_id)
            return error

    def _carry_out(self, request: Request) -> Reply | bytes:
        if request.kind is Kind.OPEN:
            self._discard(request.session_id)
            hosted = Hosted(self._factory, request.session_id)
            hosted.play_again(read_history(request.body))
            self._hosted[request.session_id] = hosted
            return b""
        hosted = self._hosted[request.session_id]
        match request.kind:
            case Kind.STEP:
                return hosted.step(loads(request.body))
            case Kind.RESET:
                return hosted.reset(loads(request.body))
        return hosted.state()

    def _discard(self, session_id: str) -> None:
        if (hosted := self._hosted.pop(session_id, None)) is not None:
            hosted.close()
