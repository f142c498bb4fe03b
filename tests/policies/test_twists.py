"""What policies make of claims, of profiles that change, and of programmes that may be dead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from envs import CATALOGUE, rules
from envs.environment import MolforgeEnvironment
from molforge.assays import ASSAYS
from molforge.chem.structure import parse
from molforge.policies import make
from molforge.policies.forecasting import Outlook
from molforge.policies.logbook import Logbook
from molforge.policies.player import Player
from molforge.policies.search import Candidate, Search
from molforge.policies.surrogate import Described, Readings, Surrogate
from molforge.policies.viability import CONVINCED, MARGIN, UNCONVINCED, Verdict, _Read, judge

SMILES = (
    "CC(=O)Nc1ccc(O)cc1",
    "CC(=O)Nc1ccc(OC)cc1",
    "CCN(CC)CCNC(=O)c1ccc(N)cc1",
    "O=C(O)c1ccccc1Nc1cccc(C(F)(F)F)c1",
    "CC1CCCN1CCCOc1ccc(C2CCN(C(C)=O)CC2)cc1",
    "Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1",
    "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
    "CN1CCC(Oc2ccc(C(F)(F)F)cc2)CC1c1ccccc1",
)


def _objective(name: str, kind: str, limits: list[float], assays: list[str]) -> dict[str, Any]:
    return {"name": name, "kind": kind, "limits": limits, "weight": 0.5, "assays": assays}


def _brief(*objectives: dict[str, Any], said: tuple[str, ...] = ()) -> dict[str, Any]:
    menu = {name for objective in objectives for name in objective["assays"]}
    return {
        "objectives": list(objectives),
        "menu": [ASSAYS[name].as_menu() for name in sorted(menu)],
        "budget": 800.0,
        "max_steps": 30,
        "rules": list(said),
    }


POTENCY = _objective("potency", "up", [7.0, 8.2], ["potency", "potency_single", "potency_confirm"])
SELECTIVITY = _objective("selectivity", "up", [1.0, 2.2], ["potency", "anti_target"])
VARIANT = _objective("potency_variant", "up", [7.0, 8.2], ["potency_variant"])


def _reading(compound: str, assay: str, value: float, call: int) -> dict[str, Any]:
    return {"compound": compound, "assay": assay, "value": value, "qualifier": "", "call": call}


def _logbook(brief: dict[str, Any], *, claimed: bool = False) -> Logbook:
    lead = {"id": "M1", "smiles": SMILES[0], "made": True, "properties": {}}
    if claimed:
        lead["properties"] = {"inside_claim": 1.0}
    readings = [_reading("M1", "potency", 7.2, 0)]
    return Logbook({"brief": brief, "compounds": [lead], "readings": readings, "budget_left": 800.0})


@pytest.mark.parametrize(
    ("said", "changes", "dead"),
    [
        pytest.param(rules.DESIGN, False, False, id="plain"),
        pytest.param(rules.SHIFT, True, False, id="shift"),
        pytest.param(rules.NOGO, False, True, id="nogo"),
    ],
)
def test_rules_of_the_brief_are_understood(said: tuple[str, ...], changes: bool, dead: bool) -> None:
    log = _logbook(_brief(POTENCY, said=said))

    assert (log.change_is_coming, log.may_be_dead) == (changes, dead)


def test_the_standard_assay_is_the_cheapest_that_reports_the_property() -> None:
    log = _logbook(_brief(POTENCY))

    assert log.menu["potency_single"].price < log.menu["potency"].price
    assert log.standard("potency").name == "potency"


def test_a_new_brief_replaces_what_is_wanted_and_keeps_what_was_read() -> None:
    log = _logbook(_brief(POTENCY, said=rules.SHIFT))

    log.update({"brief": _brief(VARIANT), "readings": [_reading("M1", "potency_variant", 6.1, 3)]})

    assert log.profile.roles == ("potency_variant",)
    assert (log.change_is_coming, log.has_changed) == (False, True)
    early, late = log.estimate("M1", "potency"), log.estimate("M1", "potency_variant")
    assert early is not None
    assert late is not None
    assert (early.mean, late.mean) == (pytest.approx(7.2), pytest.approx(6.1))


def test_potency_says_something_of_the_variant_and_the_variants_own_reading_says_more() -> None:
    log = _logbook(_brief(POTENCY, said=rules.SHIFT))
    log.update({"brief": _brief(VARIANT)})
    lead = Search(log.stream).read(SMILES[0])

    by_relative = Outlook(log, ["M1"], [lead]).forecast([lead])
    log.update({"readings": [_reading("M1", "potency_variant", 5.0, 3)]})
    by_itself = Outlook(log, ["M1"], [lead]).forecast([lead])

    assert by_relative.means["potency_variant"][0] == pytest.approx(6.5, abs=0.5)
    assert by_itself.means["potency_variant"][0] == pytest.approx(5.0, abs=0.2)
    assert by_itself.variances["potency_variant"][0] < 0.3 * by_relative.variances["potency_variant"][0]


def test_a_search_leaves_the_claimed_series_alone() -> None:
    log = _logbook(_brief(POTENCY), claimed=True)
    assert log.claimed_lead is not None
    bound, free = Search(log.stream, claimed_lead=log.claimed_lead.smiles), Search(log.stream)
    inside, outside = (Candidate(parse(smiles).mol) for smiles in (SMILES[1], SMILES[7]))

    assert free.is_allowed(inside)
    assert not bound.is_allowed(inside)
    assert bound.is_allowed(outside)


@pytest.mark.parametrize("name", ["random", "greedy", "planner"])
def test_nothing_inside_a_claim_is_a_nominee(name: str) -> None:
    policy = make(name)
    assert isinstance(policy, Player)
    observation = {
        "brief": _brief(POTENCY),
        "compounds": [
            {"id": "M1", "smiles": SMILES[0], "made": True, "properties": {"inside_claim": 1.0}},
        ],
        "readings": [_reading("M1", "potency", 7.2, 0)],
    }
    policy.begin(observation)
    for number, inside in ((2, 1.0), (3, 0.0)):
        entry = {"id": f"M{number}", "smiles": SMILES[number], "made": True}
        policy.log.update({"compounds": [{**entry, "properties": {"inside_claim": inside}}]})

    assert [compound.id for compound in policy.nominees] == ["M3"]


def test_left_out_forecast_is_the_forecast_without_the_reading() -> None:
    structures = [parse(smiles) for smiles in SMILES[:4]]
    described = Described([s.tokens for s in structures], np.array([1.0, 1.5, 2.0, 3.0]))
    values, noise = np.array([7.0, 6.5, 5.0, 8.0]), np.full(4, 0.1)
    whole = Surrogate(described, {"anti_target": Readings(np.arange(4), values, noise)})
    amplitude = whole._fits["anti_target"].amplitude

    left = whole.left_out("anti_target")

    rest = Surrogate(described, {"anti_target": Readings(np.arange(3), values[:3], noise[:3])})
    assert rest._fits["anti_target"].amplitude == amplitude
    forecast = rest.forecast(described)
    assert left.means[3] == pytest.approx(forecast.means["anti_target"][3], abs=1e-6)
    assert left.variances[3] == pytest.approx(forecast.variances["anti_target"][3], rel=1e-4)


def test_likelihood_under_a_bound_is_the_integral_it_stands_for() -> None:
    one = {"potency": 8.0, "potency_variance": 1e-9, "anti": 6.9, "anti_variance": 0.1}
    read = _Read([0], *(np.array([value]) for value in (*one.values(), 1.0, 6.5, 0.5)))

    found = float(read.likelihood(0.9)[0])

    own = np.linspace(0.0, 13.0, 200_001)
    read_as = np.maximum(own, 8.0 - 0.9)
    weight = np.exp(-((own - 6.5) ** 2) / (2 * 0.5)) / np.sqrt(2 * np.pi * 0.5)
    density = np.exp(-((6.9 - read_as) ** 2) / (2 * 0.1)) / np.sqrt(2 * np.pi * 0.1)
    assert found == pytest.approx(np.log(np.sum(weight * density) * (own[1] - own[0])), abs=1e-4)


@pytest.mark.parametrize(
    ("excess", "probability"),
    [
        pytest.param(0.0, (0.8, 1.0), id="nothing-beyond-the-bound"),
        pytest.param(1.5, (0.0, 0.05), id="selective-compounds"),
    ],
)
def test_verdict_tells_the_dead_from_the_living(excess: float, probability: tuple[float, float]) -> None:
    log = _logbook(_brief(POTENCY, SELECTIVITY, said=rules.NOGO))
    for number, smiles in enumerate(SMILES[1:], 2):
        potency = 8.0 + 0.2 * number
        selectivity = 0.9 + (excess if number % 2 else 0.0)
        log.update(
            {
                "compounds": [{"id": f"M{number}", "smiles": smiles, "made": True}],
                "readings": [
                    _reading(f"M{number}", "potency", potency, number),
                    _reading(f"M{number}", "anti_target", potency - selectivity, number),
                ],
            }
        )
    search = Search(log.stream)
    outlook = Outlook(log, list(log.compounds), [search.read(c.smiles) for c in log.made])

    verdict = judge(log, log.made, outlook, np.ones(len(log.made)))
    useless = judge(log, log.made, outlook, np.zeros(len(log.made)))

    low, high = probability
    assert verdict is not None
    assert useless is not None
    assert low <= verdict.dead <= high
    assert useless.dead == verdict.dead
    assert 0.0 < verdict.proof <= len(verdict.compounds)
    assert (np.diff(verdict.gains) <= 0.0).all()
    assert (useless.proof, float(useless.gains.max())) == (0.0, 0.0)


def test_a_stop_is_worth_nothing_up_to_half_a_proof_and_no_more_for_what_is_beyond_a_whole_one() -> None:
    def worth(proof: float, further: float = 0.0) -> float:
        return Verdict(dead=1.0, compounds=[], gains=np.zeros(0), proof=proof).worth_of_stopping(further)

    assert worth(MARGIN * UNCONVINCED) == 0.0
    assert (
        0.0
        < worth(MARGIN * UNCONVINCED, 1.0)
        < worth(MARGIN * CONVINCED)
        == worth(30.0)
        == pytest.approx(0.9)
    )
    assert Verdict(dead=1.0, compounds=[], gains=np.zeros(0), proof=30.0).missing == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("task", [task for task in CATALOGUE if task != "triage"])
def test_planner_spends_and_decides_in_every_family(task: str) -> None:
    environment, policy = MolforgeEnvironment(), make("planner")
    step = environment.reset({"task_id": task, "split": "train", "seed": 3})
    policy.begin(step.observation)
    errors = []

    while not step.done:
        step = environment.step(policy.act(step.observation))
        errors.append(step.observation["last_action_error"])

    assert set(errors) == {None}
    assert step.observation["phase"] in {"nominated", "stopped"}
    assert step.observation["budget_left"] < 0.9 * environment.episode.programme.budget
