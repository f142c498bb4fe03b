"""Writes docs/wire.md from the wire models: ``.venv/bin/python scripts/wire_page.py``; a test compares."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PAGE = ROOT / "docs" / "wire.md"
HEAD = """\
# The wire

Made by `scripts/wire_page.py` from the models that the server parses and publishes; do not edit.
The same as JSON is at `/openapi.json` and `/schema` of every server.

## WebSockets

| | |
|---|---|
{sockets}

A frame is `{{"type": ..., "data": ...}}`. What is sent, and what comes back:

| type | data | reply |
|---|---|---|
| `reset` | arguments of reset; may be left out | `observation` |
| `step` | an action (its fields, not wrapped) | `observation` |
| `state` | none | `state` |
| `mcp` | a JSON-RPC request | `mcp` |
| `close` | none | none: the socket is closed with 1000 |

`observation` carries `{{"observation": ..., "reward": ..., "done": ...}}`, `error` carries `message`,
`code` and, for a `VALIDATION_ERROR`, `errors`. Codes and close codes are in [server.md](server.md).
"""


def page() -> str:
    """Return the page."""
    from app.openapi import WEBSOCKETS, document

    openapi = document()
    sockets = "\n".join(f"| `{path}` | {told} |" for path, told in WEBSOCKETS.items())
    parts = [HEAD.format(sockets=sockets), "## HTTP\n"]
    parts += ["| | | body | reply | else |", "|---|---|---|---|---|"]
    for path, operations in openapi["paths"].items():
        parts += [_endpoint(method, path, operation) for method, operation in operations.items()]
    parts += ["", "## Statuses\n", "| | |", "|---|---|"]
    parts += [
        f"| {status} | {response['description']} |"
        for status, response in openapi["components"]["responses"].items()
    ]
    parts += ["", "## Tools\n", _tools(), "## Messages\n"]
    parts += [_schema(name, schema) for name, schema in openapi["components"]["schemas"].items()]
    return "\n".join(parts).rstrip() + "\n"


def _endpoint(method: str, path: str, operation: dict[str, Any]) -> str:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    success = next(status for status in operation["responses"] if status < "400")
    media = operation["responses"][success].get("content", {})
    reply = next(iter(media.values()))["schema"] if media else {}
    others = ", ".join(status for status in operation["responses"] if status != success)
    told = " or ".join(filter(None, [success if success != "200" else "", _kind(reply) if reply else ""]))
    return (
        f"| `{method.upper()} {path}` | {operation['summary']} | {_kind(body) if body else ''} | {told} "
        f"| {others} |"
    )


def _tools() -> str:
    from app.mcp_tools import listed

    rows = ["| tool | arguments | |", "|---|---|---|"]
    for tool in listed():
        schema = tool["inputSchema"]
        named = [name if name in schema.get("required", ()) else f"[{name}]" for name in schema["properties"]]
        rows.append(f"| `{tool['name']}` | {', '.join(named)} | {tool['description']} |")
    return "\n".join(rows) + "\n"


def _schema(name: str, schema: dict[str, Any]) -> str:
    lines = [f"### {name}\n"]
    if told := schema.get("description"):
        lines.append(" ".join(told.split()) + "\n")
    if properties := schema.get("properties"):
        required = schema.get("required", ())
        lines += ["| field | type | default | |", "|---|---|---|---|"]
        for field, about in properties.items():
            default = (
                "required" if field in required else f"`{about['default']}`" if "default" in about else ""
            )
            lines.append(
                f"| `{field}` | {_kind(about)}{_limits(about)} | {default} | {about.get('description', '')} |"
            )
        lines.append("")
    else:
        lines.append(f"{_kind(schema)}\n")
    return "\n".join(lines)


def _kind(schema: dict[str, Any]) -> str:
    if reference := schema.get("$ref"):
        name = reference.rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if options := schema.get("anyOf"):
        return " or ".join(_kind(option) for option in options)
    if "enum" in schema:
        return " or ".join(f"`{value!r}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']!r}`"
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if kind == "object" and isinstance(values := schema.get("additionalProperties"), dict):
        return f"object of {_kind(values)}"
    return str(kind)


def _limits(schema: dict[str, Any]) -> str:
    signs = {
        "minimum": "≥",
        "maximum": "≤",
        "exclusiveMinimum": ">",
        "exclusiveMaximum": "<",
        "minLength": "length ≥",
        "maxLength": "length ≤",
        "minItems": "items ≥",
        "maxItems": "items ≤",
        "maxProperties": "entries ≤",
    }
    parts = [schema, *schema.get("anyOf", ())]
    told = [f"{sign} {part[key]:g}" for part in parts for key, sign in signs.items() if key in part]
    return f", {', '.join(told)}" if told else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
