"""Pages for people: /, /web, /docs, /redoc. Self-contained: no script or style from elsewhere."""

from __future__ import annotations

import html
import json
from pathlib import Path
from string import Template
from typing import Any

from aiohttp import web

from app.info import DESCRIPTION
from app.openapi import document

FOLDER = Path(__file__).parent / "web"


def page_routes() -> web.RouteTableDef:
    """Return the routes of the pages, which are made here, once."""
    routes = web.RouteTableDef()
    home = _page("home.html", description=html.escape(DESCRIPTION))
    reference = _page("docs.html", endpoints=_endpoints(document()))

    async def show_home(_request: web.Request) -> web.Response:
        return web.Response(text=home, content_type="text/html")

    async def show_reference(_request: web.Request) -> web.Response:
        return web.Response(text=reference, content_type="text/html")

    for path in ("/", "/web"):
        routes.get(path)(show_home)
    for path in ("/docs", "/redoc"):
        routes.get(path)(show_reference)
    return routes


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
