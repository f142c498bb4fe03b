"""Pages for people: /web/, /docs, /redoc, and what they call. Self-contained: nothing from elsewhere.

What the home page calls is in ``app.visitors``; it names its session by header, since browsers send no
cookies into frames of other sites, and share them among their tabs: each tab has a session of its own.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from string import Template
from typing import Any

from aiohttp import web

from app import visitors
from app.info import DESCRIPTION, about
from app.openapi import document
from app.replies import json_reply
from envs import CATALOGUE, DEFAULT_TASK, TaskSpec

FOLDER = Path(__file__).parent / "web"


CONTENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
    "img-src data:; form-action 'self'; base-uri 'none'"
)


def page_routes() -> web.RouteTableDef:
    """Return the routes of the pages, which are made here, once."""
    routes = web.RouteTableDef()
    tasks = "".join(map(_option, CATALOGUE.values()))
    home = _page("home.html", description=html.escape(DESCRIPTION), tasks=tasks)
    reference = _page("docs.html", endpoints=_endpoints(document()))
    metadata = about()

    async def show_home(_request: web.Request) -> web.Response:
        return _shown(home)

    async def show_reference(_request: web.Request) -> web.Response:
        return _shown(reference)

    async def show_metadata(_request: web.Request) -> web.Response:
        return json_reply(metadata)

    routes.get("/web/")(show_home)
    for path in ("/", "/web"):
        routes.get(path)(lead_home)
    for path in ("/docs", "/redoc"):
        routes.get(path)(show_reference)
    routes.get("/web/metadata")(show_metadata)
    routes.post("/web/reset")(visitors.reset)
    routes.post("/web/step")(visitors.step)
    routes.get("/web/state")(visitors.state)
    return routes


def _option(task: TaskSpec) -> str:
    selected = " selected" if task.task_id == DEFAULT_TASK else ""
    return f'<option value="{task.task_id}"{selected}>{task.title}</option>'


async def lead_home(_request: web.Request) -> web.Response:
    """Lead to /web/, the page that Spaces open. The location is relative: there may be a prefix."""
    raise web.HTTPTemporaryRedirect("./web/")


def _shown(page: str) -> web.Response:
    headers = {"Content-Security-Policy": CONTENT_POLICY, "X-Content-Type-Options": "nosniff"}
    return web.Response(text=page, content_type="text/html", charset="utf-8", headers=headers)


def _page(name: str, **values: str) -> str:
    return Template((FOLDER / name).read_text(encoding="utf-8")).substitute(values)


def _endpoints(openapi: dict[str, Any]) -> str:
    schemas = openapi["components"]["schemas"]
    parts = []
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            parts.append(_endpoint(method, path, operation))
    parts.append("<h2>Schemas</h2>")
    parts += [_details(name, schema) for name, schema in schemas.items()]
    return "\n".join(parts)


def _endpoint(method: str, path: str, operation: dict[str, Any]) -> str:
    title = f"<b>{method.upper()}</b> <code>{html.escape(path)}</code> {html.escape(operation['summary'])}"
    return f"<details><summary>{title}</summary>{_code(operation)}</details>"


def _details(name: str, schema: dict[str, Any]) -> str:
    return (
        f'<details id="{html.escape(name)}"><summary>{html.escape(name)}</summary>{_code(schema)}</details>'
    )


def _code(value: Any) -> str:
    return f"<pre>{html.escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"
