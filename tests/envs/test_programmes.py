"""Programmes: solvable by construction, at the floor for the lead, decided by key alone."""

from __future__ import annotations

import json

import pytest

from envs import CATALOGUE, SPLITS, assembly, designing
from envs.reference import ReferencePlan
from molforge.actions import Action, ActionType
from molforge.chem.structure import parse
from molforge.errors import EnvironmentFault
from molforge.landscapes.pool import Pool

CASES = [pytest.param(task, split, id=f"{task}-{split}") for task in CATALOGUE for split in SPLITS]
SEEDS = range(4)


@pytest.mark.parametrize(("task", "split"), CASES)
def test_reference_plan_solves_every_programme_within_budget(task, split, open_programme, play) -> None:
    for seed in SEEDS:
        episode = play(open_programme(task, seed, split=split))
        plan = ReferencePlan(episode)
        total = 0.0
        step = episode.opening()
        while not step.done:
            step = episode.step(plan.act(step.observation))
            total += step.reward
        spent = episode.programme.budget - episode.laboratory.budget_left

        assert step.observation["score"] >= 0.92
        assert total == pytest.approx(step.observation["score"], abs=1e-9)
        assert spent == pytest.approx(episode.programme.plan.price, abs=0.05)


@pytest.mark.parametrize(("task", "split"), CASES)
def test_given_compounds_are_no_better_than_the_floor(task, split, open_programme, play) -> None:
    for seed in SEEDS:
        programme = open_programme(task, seed, split=split)
        desirabilities = [
            programme.judged.profile.desirability(programme.world.values(structure))
            for structure in programme.given
        ]
        if task == "triage":
            assert 8 <= len(programme.given) <= 24
            assert programme.lead_desirability == pytest.approx(sum(desirabilities) / len(desirabilities))
            assert 1 <= sum(d >= 1.0 for d in desirabilities) <= 2
            continue
        assert desirabilities[0] == programme.lead_desirability
        if task == "nogo":
            assert desirabilities == [0.0] * 4
        else:
            assert 0.15 <= programme.lead_desirability <= (0.7 if task == "repair" else 0.45)
            assert all(0.0 < d <= programme.lead_desirability for d in desirabilities[1:])
        step = play(programme).step(Action(action_type=ActionType.NOMINATE, compound="M1"))
        assert step.observation["score"] == 0.01


@pytest.mark.parametrize("task", CATALOGUE)
def test_leads_come_from_their_split_of_the_frameworks(task, open_programme) -> None:
    for split in SPLITS:
        for seed in SEEDS:
            programme = open_programme(task, seed, split=split)
            pool = Pool.load(programme.targets[0])
            parts = dict(zip(pool.smiles, pool.part, strict=True))
            assert {parts[structure.smiles] for structure in programme.given} == {split}


@pytest.mark.parametrize("task", CATALOGUE)
def test_the_key_decides_the_programme(task, open_programme) -> None:
    def told(**arguments) -> str:
        programme = open_programme(task, 5, **arguments)
        return json.dumps([programme.brief(), [structure.smiles for structure in programme.given]])

    assert told() == told()
    others = {told(), told(split="test"), told(secret=b"private"), told(difficulty=0.2)}
    assert len(others) == 4


def test_a_world_that_no_profile_suits_is_drawn_again(open_programme, monkeypatch) -> None:
    unlucky = 143  # of 1,500 hop programmes the one that needed most profiles
    monkeypatch.setattr(assembly, "PROFILES", 20)
    assembly._assembled.cache_clear()

    programme, again = (open_programme("hop", unlucky, split="test") for _ in range(2))
    assembly._assembled.cache_clear()
    third = open_programme("hop", unlucky, split="test")
    assembly._assembled.cache_clear()

    witness = parse(programme.plan.witness)
    assert programme.redraws >= assembly.PROFILES
    assert programme.judged.profile.is_met(programme.world.values(witness))
    assert programme.world.values(witness) == again.world.values(witness) == third.world.values(witness)
    assert programme.plan == third.plan


def test_a_family_that_never_finds_a_programme_says_so(open_programme, monkeypatch) -> None:
    monkeypatch.setattr(assembly, "PROFILES", 2)
    monkeypatch.setattr(assembly, "WORLDS", 2)
    monkeypatch.setattr(designing, "PLAN_SHARE", 0.0)
    assembly._assembled.cache_clear()

    with pytest.raises(EnvironmentFault, match="no hop programme in 2 worlds with 2 profiles each"):
        open_programme("hop", 3)


@pytest.mark.parametrize("task", CATALOGUE)
def test_noise_seed_changes_what_is_read_later_and_nothing_else(task, open_programme, play) -> None:
    plain, other = open_programme(task, 5), open_programme(task, 5, noise_seed=1)

    assert plain.brief() == other.brief()
    assert plain.given == other.given
    assert play(plain).opening().observation["readings"] == play(other).opening().observation["readings"]
    assert plain.noise_key != other.noise_key


@pytest.mark.parametrize("change", [{"difficulty": 0.75}, {"targets": ["thrombin"]}])
def test_other_settings_are_another_world(change, open_programme) -> None:
    structure = parse("CC(=O)Nc1ccc(OCCN2CCCCC2)cc1")
    plain, other = open_programme("potency", 5), open_programme("potency", 5, **change)
    usual = open_programme("potency", 5, difficulty=0.76, targets=CATALOGUE["potency"].targets)

    assert plain.world.values(structure)["off_target"] != other.world.values(structure)["off_target"]
    assert usual == plain


@pytest.mark.parametrize("task", CATALOGUE)
def test_brief_is_small_and_names_no_target(task, open_programme, play) -> None:
    for seed in SEEDS:
        programme = open_programme(task, seed)
        observation = play(programme).opening().observation
        text = json.dumps(observation)

        assert len(json.dumps(observation["brief"])) < 4000
        assert not any(target in text.lower() for target in ("thrombin", "fxa", "factor x", "histamine"))


@pytest.mark.parametrize("task", CATALOGUE)
def test_limits_keep_away_from_censoring_bounds(task, open_programme) -> None:
    for seed in SEEDS:
        programme = open_programme(task, seed)
        for stage in (programme.stage, programme.judged):
            for objective in stage.profile.objectives:
                if len(objective.terms) == 1:
                    assay = stage.standard_assay(objective.terms[0][0])
                    assert min(objective.limits) >= assay.low + 0.299
                    assert max(objective.limits) <= assay.high - 0.299


def test_harder_programmes_are_met_by_fewer_designs(open_programme) -> None:
    from envs.drawing import met
    from molforge.landscapes.world import World

    shares = []
    for difficulty in (0.0, 0.25, 0.5, 0.75, 1.0):
        programme = open_programme("potency", 3, difficulty=difficulty)
        pool = Pool.load(programme.targets[0])
        values = pool.values(programme.world.world)
        assert isinstance(programme.world.world, World)
        shares.append(met(programme.profile, values).mean())

    assert shares == sorted(shares, reverse=True)
    assert shares[0] == pytest.approx(0.1, rel=0.3)
    assert shares[4] == pytest.approx(0.001, rel=1.0)
