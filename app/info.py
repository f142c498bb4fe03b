"""What the server says of itself: /health, /ready, /metadata, /schema, /openapi.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiohttp import web

import molforge
from app.keys import SERVICE
from app.metrics import CONTENT_TYPE
from app.openapi import document
from app.replies import json_reply
from app.wire import ActionMessage, Observation, State

DESCRIPTION = (
    "A medicinal-chemistry laboratory for language-model agents: read a target product profile, design "
    "molecules, pay to have them made and assayed under a budget, read noisy results, and nominate a "
    "candidate or close the programme. Hidden landscapes are drawn per seed from real measured bioactivity."
)
README = Path(__file__).parent.parent / "README.md"
"""There in a checkout and in the image; a wheel has none."""


def schemas() -> dict[str, Any]:
    """Return the JSON Schemas of action, observation and state (draft 2020-12, local references)."""
    observation = Observation.model_json_schema()
    return {
        "action": ActionMessage.model_json_schema(),
        "observation": observation,
        "state": State.model_json_schema(),
        "reset_observation": observation,
    }


def about() -> dict[str, Any]:
    """Return what /metadata says."""
    return {
        "name": "molforge",
        "description": DESCRIPTION,
        "readme_content": README.read_text(encoding="utf-8") if README.is_file() else None,
        "version": molforge.__version__,
        "author": "The MolForge authors",
        "documentation_url": None,
    }


def info_routes() -> web.RouteTableDef:
    """Return the routes; everything that does not change is made here, once."""
    routes = web.RouteTableDef()
    schema = schemas()
    openapi = document()
    metadata = about()

    @routes.get("/health")
    async def health(_request: web.Request) -> web.Response:
        return json_reply({"status": "healthy"})

    @routes.get("/ready")
    async def ready(request: web.Request) -> web.Response:
        status, why = request.app[SERVICE].readiness
        body = {"status": status} if why is None else {"status": status, "detail": why}
        return json_reply(body, status=200 if status == "ready" else 503)

    @routes.get("/metrics")
    async def metrics(request: web.Request) -> web.Response:
        text = await request.app[SERVICE].metrics.text()
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})

    @routes.get("/metadata")
    async def metadata_of_environment(_request: web.Request) -> web.Response:
        return json_reply(metadata)

    @routes.get("/schema")
    async def schema_of_messages(_request: web.Request) -> web.Response:
        return json_reply(schema)

    @routes.get("/openapi.json")
    async def openapi_document(_request: web.Request) -> web.Response:
        return json_reply(openapi)

    return routes
