"""``molforge evaluate`` with a stub endpoint and a real server."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("openenv", reason="neither openenv-core nor openenv is installed")

from stub_model import Raw, Status, StubModel, completion, serving

from evidence.models import contest, standing
from evidence.models.player import Endpoint, Model

PROGRAMMES = [("potency", "test", 0), ("potency", "test", 1), ("triage", "test", 0)]


async def hold(stub, server_url, journal, **options):
    async with serving(stub) as base_url:
        model = Model(Endpoint(base_url=base_url, model="stub/model", api_key="x", attempts=1))
        try:
            return await contest.hold(
                server_url, model, PROGRAMMES, journal=journal, concurrency=3, made_with="here",
                arguments={"max_steps": 3}, **options,
            )  # fmt: skip
        finally:
            await model.close()


async def test_every_programme_is_played_once_and_a_second_run_plays_nothing(server_url, tmp_path):
    journal = tmp_path / "attempts.jsonl"
    first = StubModel(["assay M1: potency, logd"])

    attempts = await hold(first, server_url, journal)
    second = StubModel(["nominate M1"])
    again = await hold(second, server_url, journal)

    assert len(first.requests) == 9
    assert second.requests == []
    assert [a.as_json() for a in again] == [a.as_json() for a in attempts]
    assert {a.ending for a in attempts} == {"truncated"}
    assert all(a.parsed == a.steps == 3 and a.spent > 0 for a in attempts)


async def test_unreadable_answers_failed_calls_and_tokens_are_counted(server_url, tmp_path):
    told = completion([{"role": "assistant", "content": "nominate M1"}])
    told["usage"] = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}
    model = StubModel(["What a lovely molecule", Status(500), *[Raw(told)] * 9])

    attempts = await hold(model, server_url, tmp_path / "attempts.jsonl")
    row = standing.row(attempts)

    assert sum(a.failed_calls for a in attempts) == 1
    assert sum(a.parsed for a in attempts) == 3
    assert sum(a.prompt_tokens for a in attempts) == 300
    assert row["all"]["programmes"] == 3
    assert row["all"]["parse_rate"] == pytest.approx(3 / 5)
    assert row["all"]["low"] <= row["all"]["score"] <= row["all"]["high"]
    assert "stub/model" in standing.table(row)


async def test_what_was_begun_and_cut_gets_no_second_attempt_unasked(server_url, tmp_path):
    journal = tmp_path / "attempts.jsonl"
    async with serving(StubModel(["nominate M1"])) as base_url:
        model = Model(Endpoint(base_url=base_url, model="stub/model", api_key="x"))
        gone = await contest.hold(
            "http://127.0.0.1:9", model, PROGRAMMES, journal=journal, concurrency=3, made_with="here"
        )
        await model.close()
    untouched = StubModel(["nominate M1"])
    kept = await hold(untouched, server_url, journal)
    again = await hold(StubModel(["nominate M1"]), server_url, journal, again_cut=True)

    assert {a.ending for a in gone} == {a.ending for a in kept} == {"cut"}
    assert untouched.requests == []
    assert {a.ending for a in again} == {"nominated"}


def test_a_row_replaces_the_models_earlier_one(tmp_path):
    path = tmp_path / "rows.json"
    for score in (0.1, 0.4):
        standing.add(path, {"model": "m", "split": "test", "score": score})
    standing.add(path, {"model": "n", "split": "test", "score": 0.2})

    assert [row["score"] for row in json.loads(path.read_text())] == [0.4, 0.2]


def test_the_interval_covers_the_mean_and_narrows():
    few, many = [0.0, 1.0] * 5, [0.0, 1.0] * 100

    (a, b), (c, d) = standing.interval(few), standing.interval(many)

    assert a < 0.5 < b
    assert d - c < b - a
