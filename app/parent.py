"""The warm parent: loads everything once, then forks a worker whenever the server asks for one.

``python -m app.parent FD`` speaks JSON lines over the socket FD, which the server made: first an
order (factory, secret), then ``{"fork": name}`` and ``{"kill": pid}``. It answers ``{"ready": true}``
and ``{"forked": pid}`` with the worker's socket attached. A forked worker shares what was loaded and
answers within some 20 ms. When the server is gone, so are the parent and the workers.
"""

from __future__ import annotations

import ctypes
import gc
import json
import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

from app import logs
from app.hosting import Factory
from app.memory import cap_data, resident_mb
from app.worker import Worker

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
"""Between two looks at the workers."""
_NICE = 19
"""Of a worker that is about to go: what it still does is to hold up nobody."""
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15


def main() -> NoReturn:
    """Serve the socket whose descriptor is the first argument."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the server decides when it is over
    dress("molforge-parent")
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    orders = _lines(control)
    order = next(orders)
    assert order is not None
    logs.set_up(level=order["log_level"], form=order["log_format"])
    parent = Parent(control, order)
    parent.load()
    parent.serve(orders)
    os._exit(0)  # nothing to tidy up, and the workers end with us


class Parent:
    """Forks workers and looks after them."""

    def __init__(self, control: socket.socket, order: dict[str, Any]) -> None:
        self._control = control
        secret = None if order["secret"] is None else bytes.fromhex(order["secret"])
        self._factory: Factory = load(order["factory"])(secret)
        warm_ups: Callable[[Factory], Iterator[None]] | None = order["warm_ups"] and load(order["warm_ups"])
        self._warming = iter(()) if warm_ups is None else warm_ups(self._factory)
        self._is_warm = False
        self._memory_mb: int = order["memory_mb"]
        self._children: dict[int, float] = {}
        """Process ids, and how much of each was there from the start (MiB)."""
        self._weighed = time.monotonic()

    def load(self) -> None:
        """Load what the first call needs, and say so."""
        self._warm_up()
        gc.collect()
        gc.freeze()
        self._tell({"ready": True})

    def serve(self, orders: Iterator[dict[str, Any] | None]) -> None:
        """Follow orders until the server is gone; load the rest while there are none."""
        for order in orders:
            self._bury()
            self._weigh()
            if order is None:
                self._warm_up()
            elif "fork" in order:
                self._fork(order["fork"])
            elif "kill" in order and order["kill"] in self._children:
                os.kill(order["kill"], signal.SIGKILL)

    def _warm_up(self) -> None:
        if self._is_warm:
            return
        try:
            next(self._warming)
        except StopIteration:
            self._is_warm = True
            gc.collect()
            gc.freeze()
            self._tell({"warm": True})
        except Exception:  # the calls that need it will say it again
            log.exception("the warm-up failed")
            self._is_warm = True

    def _fork(self, name: str) -> None:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._control.close()
            cap_data(2 * self._memory_mb)
            _work(theirs, self._factory, name)
        theirs.close()
        self._children[pid] = resident_mb(os.getpid())
        self._tell({"forked": pid, "name": name}, ours)
        ours.close()

    def _bury(self) -> None:
        """Take note of the workers that have ended; kill those that somebody has stopped."""
        for pid in tuple(self._children):
            with suppress(ChildProcessError):
                ended, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
                if ended and os.WIFSTOPPED(status):
                    log.warning("worker %d was stopped; it is killed", pid)
                    os.kill(pid, signal.SIGKILL)
                elif ended:
                    self._children.pop(pid, None)

    def _weigh(self) -> None:
        """Report workers that have grown above the ceiling; kill those that are at twice as much."""
        now = time.monotonic()
        if now - self._weighed < POLL_SECONDS:
            return
        self._weighed = now
        for pid, at_start in self._children.items():
            grown = resident_mb(pid) - at_start
            if grown > 2 * self._memory_mb:
                log.warning("worker %d has grown by %d MiB; it is killed", pid, grown)
                os.kill(pid, signal.SIGKILL)
            elif grown > self._memory_mb:
                with suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, pid, _NICE)
                self._tell({"heavy": pid, "mb": round(grown)})

    def _tell(self, message: dict[str, Any], attached: socket.socket | None = None) -> None:
        line = json.dumps(message).encode() + b"\n"
        try:
            if attached is None:
                self._control.sendall(line)
            else:
                socket.send_fds(self._control, [line], [attached.fileno()])
        except OSError:
            os._exit(0)


def _work(link: socket.socket, factory: Factory, name: str) -> NoReturn:
    """Be a worker; never returns into the parent's frames."""
    code = 1
    try:
        dress(name)
        Worker(factory).serve(link)
        code = 0
    except OSError:
        code = 0  # the server has closed the socket under an answer
    except BaseException:
        log.exception("worker %s ends", name)
    finally:
        os._exit(code)


def _lines(control: socket.socket) -> Iterator[dict[str, Any] | None]:
    """Yield orders, None now and then while there is none; end when the server is gone."""
    rest = b""
    while True:
        if not select.select([control], [], [], POLL_SECONDS)[0]:
            yield None
            continue
        try:
            data = control.recv(1 << 16)
        except OSError:
            return
        if not data:
            return
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield json.loads(line)


def dress(name: str) -> None:
    """Take a name that ``ps`` shows, and die with the process that made us (Linux; elsewhere neither)."""
    with suppress(OSError, AttributeError):
        prctl = ctypes.CDLL(None).prctl
        prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def load(entry: str) -> Any:
    """Return what ``module:name`` names."""
    module, name = entry.split(":")
    return getattr(import_module(module), name)


if __name__ == "__main__":
    main()
