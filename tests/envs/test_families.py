"""What is particular to each family: twins that look alike, a claim, a change on the way."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from envs import CATALOGUE
from envs.audit import Audit, audit
from envs.environment import MolforgeEnvironment
from envs.reference import ReferencePlan
from molforge.actions import Action, ActionType
from molforge.chem.structure import parse
from molforge.episode import Episode
from molforge.programme import Programme
from molforge.seeding import MAX_SEED

SEEDS = range(8)


def _played(episode: Episode) -> dict[str, Any]:
    """Play the reference plan and return the last observation."""
    plan, step = ReferencePlan(episode), episode.opening()
    while not step.done:
        step = episode.step(plan.act(step.observation))
    return step.observation


def _told(programme: Programme, play: Any) -> str:
    episode = play(programme)
    return json.dumps([episode.opening().observation, episode.notebook_state()])


# --- nogo -----------------------------------------------------------------------------------------


def _twin(programme: Programme) -> Programme:
    """Return the programme in the other of its worlds."""
    twins = programme.twins
    assert twins is not None
    world = twins.solvable if twins.is_dead else twins.dead
    return dataclasses.replace(
        programme, twins=dataclasses.replace(twins, is_dead=not twins.is_dead), world=world
    )


def _of_kind(open_programme: Any, *, dead: bool) -> Programme:
    programmes = (open_programme("nogo", seed) for seed in range(20))
    return next(p for p in programmes if p.twins.is_dead is dead)


def test_both_kinds_of_nogo_programme_occur(open_programme) -> None:
    kinds = [open_programme("nogo", seed).twins.is_dead for seed in range(16)]
    assert 3 <= sum(kinds) <= 13


def test_twins_open_with_the_same_words(open_programme, play) -> None:
    for seed in SEEDS:
        programme = open_programme("nogo", seed)
        assert _told(programme, play) == _told(_twin(programme), play)


def test_nothing_in_the_pool_of_a_dead_programme_is_alive() -> None:
    rows = [audit("nogo", "train", seed) for seed in SEEDS]

    assert [row.faults() for row in rows] == [[]] * len(rows)
    assert any(row.is_dead for row in rows)
    assert all(row.alive_members == 0 for row in rows)


def test_audit_notices_a_coupling_that_does_not_bind(monkeypatch) -> None:
    from envs.nogo import family

    monkeypatch.setattr(family, "BELOW_RAMP", (-0.6, -0.5))
    monkeypatch.setattr(family, "TELLING", 0.5)
    rows = [audit("nogo", "train", seed) for seed in range(1000, 1008)]  # others are remembered as they were

    assert any("alive" in fault for row in rows for fault in row.faults())


def test_stop_is_worth_what_was_paid_to_know_it(open_programme, play) -> None:
    dead, solvable = (_of_kind(open_programme, dead=kind) for kind in (True, False))
    stop = Action(action_type=ActionType.STOP, reason="dead")

    assert play(dead).step(stop).observation["score"] == 0.01
    assert play(solvable).step(stop).observation["score"] == 0.01
    assert _played(play(dead))["score"] > 0.92
    assert _played(play(solvable))["score"] > 0.92


def test_running_out_of_time_is_no_insight(open_programme, play) -> None:
    episode = play(_of_kind(open_programme, dead=True))
    plan, step = ReferencePlan(episode), episode.opening()
    while (action := plan.act(step.observation)).action_type is ActionType.ASSAY:
        step = episode.step(action)

    assert action.action_type is ActionType.STOP
    late = dataclasses.replace(action, reason="out_of_time")
    assert episode.step(late).observation["score"] == 0.01


def test_the_compounds_in_hand_cannot_tell_dead_from_alive(open_programme, play) -> None:
    episode = play(_of_kind(open_programme, dead=True))
    reads = Action(
        action_type=ActionType.ASSAY,
        compounds=("M1", "M2", "M3", "M4"),
        assays=("anti_target",),
        replicates=8,
    )
    episode.step(reads)

    assert episode.record()["twins"]["readings"] == []
    assert episode.step(Action(action_type=ActionType.STOP)).observation["score"] == 0.01


# --- hop ------------------------------------------------------------------------------------------


class Everything:
    """A claim that nothing is outside of."""

    def covers(self, structure: object) -> bool:
        return True


def test_lead_is_inside_the_claim_and_the_witness_outside(open_programme, play) -> None:
    for seed in SEEDS:
        programme = open_programme("hop", seed)
        assert programme.claim.covers(programme.given[0])
        assert not programme.claim.covers(parse(programme.plan.witness))
        compounds = play(programme).opening().observation["compounds"]
        assert compounds[0]["properties"]["inside_claim"] == 1.0


def test_a_nominee_inside_the_claim_is_worth_nothing(open_programme, play) -> None:
    programme = open_programme("hop", 0)
    plain = _played(play(programme))
    claimed = _played(play(dataclasses.replace(programme, claim=Everything())))

    assert plain["score"] > 0.92
    assert claimed["score"] == 0.01
    assert claimed["score_parts"]["profile"] == 0.0


def test_compounds_inside_the_claim_earn_no_reward_on_the_way(open_programme, play) -> None:
    programme = open_programme("hop", 0)
    returned = {}
    for name, claim in (("own", programme.claim), ("everything", Everything())):
        episode = play(dataclasses.replace(programme, claim=claim))
        plan, step, rewards = ReferencePlan(episode), episode.opening(), []
        while not step.done:
            step = episode.step(plan.act(step.observation))
            rewards.append(step.reward)
        returned[name] = rewards

    assert max(returned["own"][:-1]) > 0.1
    assert set(returned["everything"][:-1]) == {0.0}


def test_a_close_analogue_of_the_lead_is_inside(open_programme) -> None:
    programme = open_programme("hop", 1)
    lead = programme.given[0].smiles

    assert programme.claim.covers(parse(lead + "F" if lead[-1].isalpha() else "FC" + lead))


# --- shift ----------------------------------------------------------------------------------------


def _spend(episode: Episode) -> dict[str, Any]:
    """Read the lead's potency until the profile changes; return the observation that says so."""
    action = Action(
        action_type=ActionType.ASSAY, compounds=("M1",), assays=("potency_confirm",), replicates=8
    )
    for _ in range(9):
        observation = episode.step(action).observation
        if observation["brief"] is not None:
            return observation
    raise AssertionError("the profile never changed")


def test_both_kinds_of_shift_occur(open_programme) -> None:
    kinds = {
        tuple(o.name for o in open_programme("shift", seed).judged.profile.objectives) for seed in range(12)
    }
    assert kinds == {
        ("potency_variant", "logd", "solubility", "off_target"),
        ("potency", "logd", "solubility", "off_target", "off_target_2"),
    }


def test_the_change_comes_with_the_money_that_brings_it(open_programme, play) -> None:
    for seed in SEEDS:
        programme = open_programme("shift", seed)
        episode = play(programme)
        new = next(a.name for a in programme.judged.menu if a.name not in programme.stage.assay_names)
        early = episode.step(Action(action_type=ActionType.ASSAY, compounds=("M1",), assays=(new,)))
        assert "no assay" in early.observation["last_action_error"]

        told = _spend(episode)

        spent = programme.budget - told["budget_left"]
        assert programme.shift.threshold <= spent <= programme.shift.threshold + 80.0
        assert 0.25 <= programme.shift.threshold / programme.budget <= 0.45
        assert told["brief"] == programme.brief(programme.judged) == episode.notebook_state()["brief"]
        assert programme.shift.notice in told["text"]
        late = episode.step(Action(action_type=ActionType.ASSAY, compounds=("M1",), assays=(new,)))
        assert late.observation["readings"]


def test_waiting_brings_no_change(open_programme, play) -> None:
    episode = play(open_programme("shift", 0))
    for _ in range(20):
        step = episode.step(Action(action_type=ActionType.SUGGEST, compound="M1"))
        assert step.observation["brief"] is None


def test_kept_objectives_keep_their_limits(open_programme) -> None:
    for seed in SEEDS:
        programme = open_programme("shift", seed)
        late = {o.name: o.limits for o in programme.judged.profile.objectives}
        early = {o.name: o.limits for o in programme.stage.profile.objectives}
        assert {name: early[name] for name in early if name in late} == {
            name: late[name] for name in early if name in late
        }
        assert sum(o.weight for o in programme.stage.profile.objectives) == pytest.approx(1.0)


def test_a_nominee_is_judged_by_the_late_profile_also_before_the_change(open_programme, play) -> None:
    programme = open_programme("shift", 2)
    episode = play(programme)
    names = ("potency", "logd", "solubility", "off_target")
    episode.step(Action(action_type=ActionType.ASSAY, smiles=(programme.plan.witness,), assays=names))
    made = next(c.id for c in episode.laboratory.notebook.compounds.values() if not c.known)
    if not episode.laboratory.compound(made).made:
        pytest.skip("the synthesis failed")
    last = episode.step(Action(action_type=ActionType.NOMINATE, compound=made)).observation

    assert last["score_parts"]["profile"] == 1.0
    assert last["score_parts"]["evidence"] < 0.5, "what is new was never read"


# --- audit ----------------------------------------------------------------------------------------


def test_audit_finds_a_plan_that_does_not_solve_and_a_price_that_is_wrong() -> None:
    sound = audit("potency", "train", 0)
    assert sound.faults() == []
    broken = dataclasses.replace(sound, plan_score=0.5, plan_as_priced=False, lead_score=0.3)

    assert isinstance(broken, Audit)
    assert len(broken.faults()) == 3


def test_the_warming_programme_can_be_drawn_in_every_family() -> None:
    for task in CATALOGUE:
        opened = MolforgeEnvironment().reset({"task_id": task, "seed": MAX_SEED}).observation
        assert opened["seed"] == MAX_SEED


# --- repair, admet --------------------------------------------------------------------------------


def test_the_lead_to_repair_has_one_thing_to_mend(open_programme) -> None:
    liabilities = set()
    for seed in range(12):
        programme = open_programme("repair", seed)
        profile = programme.profile
        values = programme.world.values(programme.given[0])
        worth = {o.name: o.desirability(o.value(values)) for o in profile.objectives}
        assert worth["potency"] == 1.0
        assert sum(d < 0.4 for d in worth.values()) == 1
        liabilities |= set(worth) & {"solubility", "hlm", "herg"}
    assert liabilities == {"solubility", "hlm", "herg"}


def test_the_admet_lead_is_potent(open_programme) -> None:
    for seed in SEEDS:
        programme = open_programme("admet", seed)
        objective = programme.profile.objective("potency")
        values = programme.world.values(programme.given[0])
        assert objective.desirability(values["potency"]) >= 0.8
        assert len(programme.profile.objectives) == 6
