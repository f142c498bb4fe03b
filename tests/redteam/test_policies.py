"""Policy attacks keep to what their claim says, and random play to the lead."""

from __future__ import annotations

import pytest

from envs.environment import MolforgeEnvironment
from molforge.evaluation import match
from molforge.policies import make
from redteam.attacks import POLICY_ATTACKS, Rank
from redteam.fixed_list import FIXED_LIST


@pytest.mark.parametrize(("task", "most"), [("potency", 1), ("nogo", 4), ("shift", 4)])
def test_holder_makes_no_more_compounds_than_it_claims(task: str, most: int) -> None:
    environment = MolforgeEnvironment()
    policy = POLICY_ATTACKS[f"holder_{most}"](environment)

    row = match.play(environment, policy, {"task_id": task, "split": "validation", "seed": 1})

    assert 0 < row.made <= most
    assert row.ending in ("nominated", "stopped")
    assert row.refused == 0


def test_holder_reads_no_more_of_a_set_than_it_claims() -> None:
    environment = MolforgeEnvironment()
    policy = POLICY_ATTACKS["holder_4"](environment)

    match.play(environment, policy, {"task_id": "triage", "split": "validation", "seed": 1})

    read = {reading.compound for reading in environment.episode.laboratory.notebook.readings}
    assert 0 < len(read) <= 4


def test_fixed_list_buys_the_same_everywhere() -> None:
    environment = MolforgeEnvironment()
    bought = []
    for seed in (0, 1):
        arguments = {"task_id": "nogo", "split": "test", "seed": seed}
        row = match.play(environment, POLICY_ATTACKS["fixed_list"](environment), arguments)
        own = [c for c in environment.episode.laboratory.notebook.compounds.values() if not c.known]
        bought.append([compound.smiles for compound in own])
        assert row.ending == "stopped"

    assert len(bought[0]) == len(set(FIXED_LIST))
    assert bought[0] == bought[1]


@pytest.mark.parametrize("task", ["repair", "hop"])
def test_random_play_edits_the_lead_or_what_is_not_claimed(task: str) -> None:
    environment = MolforgeEnvironment()
    policy = make("random")
    step = environment.reset({"task_id": task, "split": "train", "seed": 3})
    policy.begin(step.observation)
    free = [c["id"] for c in step.observation["compounds"] if not c["properties"].get("inside_claim")]
    asked = set()
    while not step.done:
        action = policy.act(step.observation)
        if action.action_type == "suggest":
            asked.add(action.compound)
        step = environment.step(action)

    assert asked == {free[0]}
    assert (free[0] == "M1") is (task == "repair")


@pytest.mark.parametrize("name", [n for n, attack in POLICY_ATTACKS.items() if attack.rank is Rank.TWIST])
def test_a_bent_policy_plays_a_changing_programme_to_its_end(name: str) -> None:
    environment = MolforgeEnvironment()

    row = match.play(environment, POLICY_ATTACKS[name](environment), {"task_id": "shift", "seed": 1})

    assert row.rewards == pytest.approx(row.score)
