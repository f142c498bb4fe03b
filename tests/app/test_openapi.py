"""/openapi.json: valid, complete, true of the server; schemathesis finds nothing that it does not say."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import aiohttp
import hypothesis
import pytest
import schemathesis
import schemathesis.specs.openapi.schemas  # late, beside a thread, 3.11 can fail to compile it
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import checks
from schemathesis.config import SchemathesisConfig

from app.config import Config
from app.endpoints import ENDPOINTS
from app.engine import InProcessEngine
from app.environments import environment_factory
from app.main import create_app
from app.openapi import WEBSOCKETS, document
from tests.app.fake import FakeEnvironment
from tests.app.harness import running, serving

CHECKS = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
)


def test_the_document_is_openapi_3_1() -> None:
    assert not list(OpenAPIV31SpecValidator(document()).iter_errors())


def test_every_route_of_the_server_is_published_and_nothing_else() -> None:
    app = create_app(Config(), engine=InProcessEngine(FakeEnvironment, threads=1))
    served = {
        (route.method.lower(), str(route.resource.canonical).replace("{environment}", "molforge"))
        for route in app.router.routes()
        if route.resource is not None and route.method not in ("HEAD", "*")
    }

    published = {(method, path) for path, operations in document()["paths"].items() for method in operations}

    assert published == served - {("get", "/mcp")}
    assert {path.split("?")[0] for path in WEBSOCKETS} == {"/ws", "/mcp"}


def test_every_operation_tells_its_errors_with_schema_and_example() -> None:
    published = document()
    for path, operations in published["paths"].items():
        for method, operation in operations.items():
            assert "405" in operation["responses"], (method, path)
            if "requestBody" in operation:
                assert "413" in operation["responses"], (method, path)
    for status, response in published["components"]["responses"].items():
        content = response["content"]["application/json"]
        assert content["schema"], status
        assert content["example"], status


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method}-{endpoint.path}")
def test_examples_fit_their_models(endpoint: Any) -> None:
    for value in endpoint.requests.values():
        assert endpoint.body is not None
        endpoint.body.model_validate(value)
    if endpoint.example is not None:
        assert endpoint.reply is not None
        endpoint.reply.model_validate(endpoint.example)


def test_error_examples_fit_their_schemas() -> None:
    published = document()
    schemas = json.loads(json.dumps(published["components"]).replace("#/components/schemas/", "#/$defs/"))
    for response in schemas["responses"].values():
        content = response["content"]["application/json"]
        schema = {**content["schema"], "$defs": schemas["schemas"]}
        assert not list(Draft202012Validator(schema).iter_errors(content["example"]))


async def test_what_is_published_is_served_and_every_reference_is_local() -> None:
    async with serving() as url, aiohttp.ClientSession() as http:
        async with http.get(f"{url}/openapi.json") as reply:
            openapi = await reply.json()
        for path, operations in openapi["paths"].items():
            for method in operations:
                async with http.request(method, url + path, allow_redirects=False) as reply:
                    assert reply.status not in (405, 500), path
                    assert reply.status != 404 or path == "/grader"

    for reference in re.findall(r'"\$ref": "#/([^"]*)"', json.dumps(openapi)):
        found: Any = openapi
        for key in reference.split("/"):
            found = found[key]
    assert "$ref" in json.dumps(openapi)
    assert not re.search(r'"\$ref": "[^#]', json.dumps(openapi))


@contextmanager
def served(factory: Any) -> Iterator[str]:
    """Serve in a thread of its own: schemathesis is synchronous."""
    config = Config(max_rest_sessions=20_000, max_sessions=20_000)
    loop = asyncio.new_event_loop()
    address: list[str] = []
    is_up, is_over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        engine = InProcessEngine(factory, threads=2)
        app = await asyncio.to_thread(create_app, config, engine=engine)
        async with running(app, config) as url:
            address.append(url)
            is_up.set()
            await is_over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert is_up.wait(30)
        yield address[0]
    finally:
        loop.call_soon_threadsafe(is_over.set)
        thread.join(30)
        loop.close()


def _be_patient(body: Any) -> None:
    """Who asks for an answer within a microsecond is told 503, rightly; here it would count."""
    seconds = body.get("timeout_s") if isinstance(body, dict) else None
    if isinstance(seconds, float) and 0.0 < seconds < 60.0:
        body["timeout_s"] = 60.0


def fuzz(url: str, *, requests: int) -> int:
    """Send about so many generated requests, valid and not; return how many were sent."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", config=SchemathesisConfig())
    operations = [found.ok() for found in schema.get_all_operations()]
    with_input = [o for o in operations if o.body or o.headers or o.query]
    sent = 0
    for operation in operations:
        share = requests // len(with_input) if operation in with_input else 3
        for mode in schemathesis.GenerationMode:

            @hypothesis.settings(
                max_examples=max(1, share // 2),
                deadline=None,
                database=None,
                derandomize=True,
                suppress_health_check=list(hypothesis.HealthCheck),
            )
            @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
            def one(case: Any) -> None:
                nonlocal sent
                sent += 1
                _be_patient(case.body)
                case.call_and_validate(base_url=url, checks=CHECKS, timeout=60)

            with suppress(hypothesis.errors.Unsatisfiable):  # nothing can be wrong in a request without input
                one()
    return sent


def test_generated_requests_meet_nothing_unpublished() -> None:
    with served(FakeEnvironment) as url:
        assert fuzz(url, requests=120) >= 60


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_5000_generated_requests_meet_nothing_unpublished() -> None:
    with served(environment_factory(None)) as url:
        assert fuzz(url, requests=6000) >= 5000
