"""Listening, and stopping within a container's grace: finish running calls, say 1012, exit 0."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress

from aiohttp import web

from app import logs
from app.config import Config
from app.journal import ForeignJournal
from app.keys import SERVICE
from app.main import create_app

HANDLER_SECONDS = 0.75
"""How long the last replies may take once no call runs any more; aiohttp waits so long twice."""

GARBAGE = 20_000
"""Objects that pile up before the collector looks for cycles among them."""

log = logging.getLogger(__name__)


class CannotListen(Exception):
    """The address or port cannot be had."""


def serve(config: Config) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    logs.set_up(level=config.log_level, form=config.log_format)
    _raise_file_limit()
    for noisy in ("aiohttp.server", "aiohttp.websocket"):  # bad requests of strangers, with tracebacks
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            has_stragglers = runner.run(_serve(create_app(config), config))
        except (ForeignJournal, CannotListen) as why:
            log.error("%s", why)  # noqa: TRY400 - the sentence says it all
            return 2
    if has_stragglers:
        log.warning("calls still run; leaving without them")
        logging.shutdown()
        os._exit(0)  # the interpreter would wait for their threads
    return 0


def _raise_file_limit() -> None:
    """Take as many open files as the system allows: every socket is one."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.new_event_loop  # Windows: the standard loop serves as well
    factory: Callable[[], asyncio.AbstractEventLoop] = new_event_loop
    return factory


async def _serve(app: web.Application, config: Config) -> bool:
    runner = web.AppRunner(
        app,
        access_log=logging.getLogger("app.access") if config.access_log else None,
        access_log_format='%a "%r" %s %b %Tf',
        shutdown_timeout=HANDLER_SECONDS,
        auto_decompress=False,
    )
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await runner.setup()
    gc.collect()
    gc.freeze()  # what is there now stays; a step leaves next to nothing that only the collector finds
    gc.set_threshold(GARBAGE, 2, 2)  # the cycles of aborted connections, left for long, scatter the heap
    try:
        site = web.TCPSite(runner, config.host, config.port, backlog=1024)
        try:
            await site.start()
        except OSError as why:  # a port in use, a foreign address
            raise CannotListen(f"cannot listen on {config.host}:{config.port}: {why.strerror}") from None
        log.info("listening on http://%s:%d", config.host, runner.addresses[0][1])
        await stopped.wait()
        log.info("stopping: %d sessions", len(app[SERVICE].sessions))
    finally:
        await runner.cleanup()
    return app[SERVICE].engine.has_stragglers
