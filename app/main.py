"""Puts the server together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from aiohttp import web

from app import mcp, mcp_socket, pages, rest, tasks, ws
from app.config import Config
from app.engine import Engine, InProcessEngine
from app.environments import environment_factory, warm_up
from app.info import info_routes
from app.journal import Journal, MemoryJournal
from app.keys import CONFIG, SERVICE
from app.limits import LIMITS, Limits
from app.mcp_sessions import MCP_SESSIONS, McpSessions
from app.middleware import identify, limit_rates, translate_errors
from app.service import Service
from app.sessions import SessionTable
from app.visitors import SCRATCH, Scratch
from app.watch import WATCH, Watch
from molforge.seeding import DEFAULT_SECRET, secret_fingerprint

FACTORY = "app.environments:environment_factory"
WARM_UPS: str | None = "app.environments:warm_ups"


def create_app(config: Config | None = None, *, engine: Engine | None = None) -> web.Application:
    """Return the server as an application; any number of them can live in one process."""
    config = config or Config()
    sessions = SessionTable(
        capacity=config.max_sessions,
        rest_capacity=config.max_rest_sessions,
        idle_seconds=config.idle_seconds,
        rest_idle_seconds=config.rest_idle_seconds,
        detached=config.max_detached,
        resume_seconds=config.resume_seconds,
    )
    app = web.Application(middlewares=[identify, translate_errors, limit_rates])
    app[CONFIG] = config
    app[MCP_SESSIONS] = McpSessions()
    app[SCRATCH] = Scratch()
    app[WATCH] = Watch()
    app[LIMITS] = Limits(
        per_address=config.calls_per_second_per_address,
        total=config.calls_per_second,
        trust_forwarded=config.trust_forwarded,
    )
    app[SERVICE] = Service(
        engine=engine or _engine(config),
        sessions=sessions,
        journal=_journal(config),
        call_seconds=config.call_seconds,
    )
    handlers = (rest.routes, ws.routes, mcp.routes, mcp_socket.routes, tasks.routes)
    for routes in (*handlers, info_routes(), pages.page_routes()):
        app.add_routes(routes)
    app.cleanup_ctx.append(_lifespan)
    app.on_shutdown.append(_say_goodbye)
    return app


def _engine(config: Config) -> Engine:
    if config.workers:
        from app.forks import Order
        from app.workers import WorkerEngine, cores

        order = Order(
            factory=FACTORY,
            warm_ups=WARM_UPS,
            secret=config.secret,
            memory_mb=config.worker_memory_mb,
            log_level=config.log_level,
            log_format=config.log_format,
        )
        workers = config.workers if config.workers > 0 else cores()
        return WorkerEngine(order, workers=workers, call_seconds=config.call_seconds)
    factory = environment_factory(config.secret)
    return InProcessEngine(factory, threads=config.threads, warm_up=lambda: warm_up(factory))


def _journal(config: Config) -> Journal:
    if config.journal is None:
        return MemoryJournal()
    from app.sqlite_journal import SqliteJournal

    return SqliteJournal(config.journal, fingerprint=secret_fingerprint(config.secret or DEFAULT_SECRET))


async def _lifespan(app: web.Application) -> AsyncIterator[None]:
    service = app[SERVICE]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(service.stop)
        await stack.enter_async_context(app[WATCH].watching())
        await stack.enter_async_context(_sweeper(service, every=min(30.0, app[CONFIG].idle_seconds / 4)))
        await service.start()
        yield


@asynccontextmanager
async def _sweeper(service: Service, *, every: float) -> AsyncIterator[None]:
    """Close idle sessions while the application lives."""

    async def sweep() -> None:
        while True:
            await asyncio.sleep(every)
            service.expire()

    task = asyncio.create_task(sweep(), name="sweeper")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _say_goodbye(app: web.Application) -> None:
    """Let running calls end and tell every socket its session id as the reason of a restart."""
    service = app[SERVICE]
    service.drain()
    for session in service.sessions.all():
        if session.connection is not None:
            session.connection.dismiss(1012, session.id)
    with suppress(TimeoutError):
        async with asyncio.timeout(app[CONFIG].drain_seconds):
            await service.quiet.wait()
