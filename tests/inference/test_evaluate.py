"""``molforge evaluate`` with a stub endpoint and a real server."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("openenv", reason="neither openenv-core nor openenv is installed")

from stub_model import Raw, Status, StubModel, completion, serving

from evidence.models import command, contest, standing
from evidence.models.player import Endpoint, EndpointFailed, Model

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

    assert len(first.requests) == 1 + 9  # the first asks whether the endpoint answers
    assert second.requests == []
    assert [a.as_json() for a in again] == [a.as_json() for a in attempts]
    assert {a.ending for a in attempts} == {"truncated"}
    assert all(a.parsed == a.steps == 3 and a.spent > 0 for a in attempts)


async def test_unreadable_answers_failed_calls_and_tokens_are_counted(server_url, tmp_path):
    told = completion([{"role": "assistant", "content": "nominate M1"}])
    told["usage"] = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}
    model = StubModel(
        ["ready", "What a lovely molecule", Status(400), "  ", "nominate M99", *[Raw(told)] * 9]
    )

    attempts = await hold(model, server_url, tmp_path / "attempts.jsonl")
    row = standing.row(attempts)

    # who of the three at once hears what is chance: one may spend its turns on what is no action
    steps, parsed = sum(a.steps for a in attempts), sum(a.parsed for a in attempts)
    assert (parsed, sum(a.refused for a in attempts)) == (steps - 3, 1)
    assert sum(a.failed_calls for a in attempts) == 2
    assert sum(a.prompt_tokens for a in attempts) == 100 * (parsed - 1)
    assert row["all"]["programmes"] == 3
    assert row["all"]["parse_rate"] == pytest.approx(parsed / steps)
    assert row["all"]["error_rate"] == pytest.approx(1 / parsed)
    assert row["all"]["low"] <= row["all"]["score"] <= row["all"]["high"]
    assert "stub/model" in standing.table(row)


async def test_without_a_server_nothing_is_begun(server_url, tmp_path):
    journal = tmp_path / "attempts.jsonl"

    gone = await hold(StubModel(["nominate M1"]), "http://127.0.0.1:9", journal)
    played = await hold(StubModel(["nominate M1"]), server_url, journal)

    assert gone == []
    assert [(a.ending, a.number) for a in played] == [("nominated", 1)] * 3


@pytest.mark.parametrize("code", [400, 401, 404, 500])
async def test_an_endpoint_that_never_answers_begins_nothing(code, server_url, tmp_path):
    with pytest.raises(EndpointFailed):
        await hold(StubModel([Status(code)]), server_url, tmp_path / "attempts.jsonl")

    assert (tmp_path / "attempts.jsonl").exists() is False


async def test_what_was_begun_and_cut_gets_no_second_attempt_unasked(server_url, tmp_path):
    journal = tmp_path / "attempts.jsonl"
    cut = await hold(StubModel(["ready", "assay M1: potency", Status(503)]), server_url, journal)
    untouched = StubModel(["nominate M1"])
    kept = await hold(untouched, server_url, journal)
    again = await hold(StubModel(["nominate M1"]), server_url, journal, again_cut=True)

    assert {(a.ending, a.score) for a in cut} == {(a.ending, a.score) for a in kept} == {("cut", 0.01)}
    assert all(a.parsed <= a.steps for a in cut)
    assert untouched.requests == []
    assert {(a.ending, a.number) for a in again} == {("nominated", 2)}
    assert standing.row(again)["all"]["again"] == 3


async def test_other_settings_are_other_attempts_and_a_torn_line_is_played_again(server_url, tmp_path):
    journal = tmp_path / "attempts.jsonl"
    await hold(StubModel(["nominate M1"]), server_url, journal)
    whole = journal.read_text()
    journal.write_text(whole[:-30])

    warm = StubModel(["nominate M1"])
    await hold(warm, server_url, journal, settings="temperature 1.0")
    kept = StubModel(["nominate M1"])
    torn = await hold(kept, server_url, journal)

    assert len(warm.requests) == 1 + 3
    assert kept.requests == []
    assert sorted(a.ending for a in torn) == ["cut", "nominated", "nominated"]


def test_a_row_replaces_the_models_earlier_one_unless_programmes_would_be_lost(tmp_path):
    path = tmp_path / "rows.json"
    row = {"model": "m", "split": "test", "settings": "", "scores": [["hop", 0, 0.1], ["hop", 1, 0.1]]}
    standing.add(path, row)
    standing.add(path, {**row, "scores": [["hop", 0, 0.4], ["hop", 1, 0.4], ["hop", 2, 0.4]]})
    standing.add(path, {**row, "model": "n"})

    with pytest.raises(ValueError, match="counts 2 programmes"):
        standing.add(path, {**row, "scores": [["hop", 0, 0.9]]})

    assert [len(found["scores"]) for found in json.loads(path.read_text())] == [3, 2]


@pytest.mark.parametrize(
    "words",
    [
        ["--programmes", "0"],
        ["--concurrency", "-1"],
        ["--first", "-5"],
        ["--max-tokens", "x"],
        ["--max-steps", "1" + 9 * "0"],
    ],
)
def test_what_counts_has_to_be_a_number(words, monkeypatch, capsys):
    monkeypatch.setenv("HF_TOKEN", "x")
    with pytest.raises(SystemExit) as why:
        command.main(["--model", "m", *words])

    assert why.value.code == 2
    assert "is not a whole number" in capsys.readouterr().err


def test_an_endpoint_that_is_not_there_is_named(monkeypatch, capsys, tmp_path, server_url):
    monkeypatch.setenv("HF_TOKEN", "x")
    words = ["--model", "m", "--api-base-url", "http://127.0.0.1:9/v1", "--base-url", server_url]

    code = command.main([*words, "--journal", str(tmp_path / "j.jsonl"), "--tasks", "triage"])

    assert code == 2
    assert "http://127.0.0.1:9/v1 does not answer as m: APIConnectionError" in capsys.readouterr().err


def test_the_interval_covers_the_mean_and_narrows():
    few, many = [0.0, 1.0] * 5, [0.0, 1.0] * 100

    (a, b), (c, d) = standing.interval(few), standing.interval(many)

    assert a < 0.5 < b
    assert d - c < b - a
