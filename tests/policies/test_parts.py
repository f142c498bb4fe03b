"""The parts that policies are made of, each against the kernel's own arithmetic."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from molforge.assays import ASSAYS
from molforge.chem.structure import parse, similarity
from molforge.notebook import Reading, combine
from molforge.policies.kernel import Reference
from molforge.policies.logbook import Logbook
from molforge.policies.objectives import Profile
from molforge.policies.surrogate import Described, Readings, Surrogate
from molforge.profile import Kind, Objective
from molforge.profile import Profile as KernelProfile

SMILES = (
    "CC(=O)Nc1ccc(O)cc1",
    "CC(=O)Nc1ccc(OC)cc1",
    "CCN(CC)CCNC(=O)c1ccc(N)cc1",
    "O=C(O)c1ccccc1Nc1cccc(C(F)(F)F)c1",
    "CC1CCCN1CCCOc1ccc(C2CCN(C(C)=O)CC2)cc1",
)


def _objective(name: str, kind: Kind, limits: tuple[float, ...], weight: float, *terms: Any) -> Objective:
    assays = tuple(assay.name for assay in ASSAYS.values() if assay.reads in {name for name, _ in terms})
    return Objective(
        name=name, unit="", kind=kind, limits=limits, weight=weight, terms=terms, assays=assays, prior_width=3
    )


KERNEL_PROFILE = KernelProfile(
    (
        _objective("potency", Kind.UP, (7.0, 8.2), 0.4, ("potency", 1)),
        _objective("selectivity", Kind.UP, (1.0, 2.2), 0.3, ("potency", 1), ("anti_target", -1)),
        _objective("logd", Kind.WINDOW, (0.3, 1.0, 2.0, 2.7), 0.2, ("logd", 1)),
        _objective("off_target", Kind.DOWN, (6.0, 5.1), 0.1, ("off_target", 1)),
    )
)
BRIEF: dict[str, Any] = {
    "objectives": [objective.as_brief() for objective in KERNEL_PROFILE.objectives],
    "menu": [assay.as_menu() for assay in ASSAYS.values()],
    "budget": 800.0,
    "max_steps": 30,
}


def _opening(readings: list[Reading]) -> dict[str, Any]:
    return {
        "task_id": "potency",
        "split": "train",
        "seed": 3,
        "brief": BRIEF,
        "compounds": [{"id": "M1", "smiles": SMILES[0], "made": True, "make_price": 0.0, "properties": {}}],
        "readings": [reading.as_public() for reading in readings],
        "budget_left": 800.0,
        "steps_left": 30,
    }


def _reading(assay_name: str, value: float, call: int) -> Reading:
    assay = ASSAYS[assay_name]
    return Reading(
        compound="M1",
        assay=assay_name,
        reads=assay.reads,
        value=value,
        unit=assay.unit,
        qualifier="",
        se=assay.se,
        well_se=assay.well_se,
        run_se=assay.run_se,
        call=call,
        paid=call > 0,
        micromolar=assay.micromolar,
    )


def test_profile_on_arrays_is_the_kernels_profile() -> None:
    rng = random.Random(1)
    profile = Profile.from_brief(BRIEF)
    values = {role: [rng.uniform(-1, 10) for _ in range(500)] for role in KERNEL_PROFILE.properties}

    found = profile.desirability({role: np.array(column) for role, column in values.items()})

    expected = [
        KERNEL_PROFILE.desirability({role: column[i] for role, column in values.items()}) for i in range(500)
    ]
    assert found == pytest.approx(expected, abs=1e-9)
    assert any(value > 0 for value in expected)


def test_margin_is_zero_where_the_last_objective_is_just_met() -> None:
    values = {"potency": 8.2, "anti_target": 5.0, "logd": 1.5, "off_target": 4.0}

    margin = Profile.from_brief(BRIEF).margin({role: np.array([value]) for role, value in values.items()})

    assert margin[0] == pytest.approx(0.0)


def test_similarities_of_many_are_those_of_each_pair() -> None:
    structures = [parse(smiles) for smiles in SMILES]
    reference = Reference([structure.tokens for structure in structures[:3]])

    found = reference.similarity([structure.tokens for structure in structures])

    expected = [[similarity(a, b) for b in structures[:3]] for a in structures]
    assert found == pytest.approx(np.array(expected), abs=1e-6)


def test_estimate_groups_readings_by_call_as_the_kernel_does() -> None:
    readings = [_reading("potency", value, call) for value, call in ((7.1, 0), (7.5, 1), (7.9, 1), (7.2, 2))]
    readings.append(_reading("potency_confirm", 7.4, 2))
    readings.append(_reading("potency_single", 82.0, 3))
    log = Logbook(_opening(readings[:1]))
    log.update({"readings": [reading.as_public() for reading in readings[1:]]})

    estimate = log.estimate("M1", "potency")

    expected = combine(readings)
    assert estimate is not None
    assert expected is not None
    assert estimate.mean == pytest.approx(expected.value, abs=2e-3)
    assert estimate.variance == pytest.approx(expected.variance, rel=1e-2)
    assert estimate.paid_calls == 4


def test_refused_structures_are_not_registered() -> None:
    log = Logbook(_opening([]))
    refused = {"gate": "size", "atom": None, "reason": "too small"}

    log.update({"compounds": [{"smiles": "C", "refused": refused}], "readings": []})

    assert list(log.compounds) == ["M1"]


def test_forecast_knows_what_was_read_and_doubts_what_is_far() -> None:
    structures = [parse(smiles) for smiles in SMILES]
    described = Described([s.tokens for s in structures], np.full(len(structures), 2.5))
    readings = Readings(np.array([0, 3]), np.array([9.0, 6.0]), np.array([0.01, 0.01]))

    forecast = Surrogate(described, {"potency": readings}).forecast(described)

    means, sds = forecast.means["potency"], np.sqrt(forecast.variances["potency"])
    assert means[0] == pytest.approx(9.0, abs=0.2)
    assert means[3] == pytest.approx(6.0, abs=0.2)
    assert means[1] > means[2] > means[3]
    assert sds[0] < 0.15 < sds[1] < sds[4]


def test_forecast_without_readings_is_the_prior() -> None:
    structure = parse(SMILES[0])
    described = Described([structure.tokens], np.array([2.5]))
    nothing = Readings(np.zeros(0, np.intp), np.zeros(0), np.zeros(0))

    forecast = Surrogate(described, {"logd": nothing}).forecast(described)

    assert forecast.means["logd"][0] == pytest.approx(1.8)
    assert forecast.variances["logd"][0] > 1.0


@pytest.mark.parametrize(
    ("modules", "forbidden"),
    [
        pytest.param("molforge.policies", ("numpy", "rdkit"), id="package-is-light"),
        pytest.param(
            "molforge.policies.planner,molforge.policies.greedy,molforge.policies.randomly,molforge.policies.noop",
            ("molforge.landscapes", "molforge.programme", "molforge.laboratory", "envs", "graders", "app"),
            id="policies-hold-no-truth",
        ),
        pytest.param(
            "molforge.evaluation.ladder,molforge.evaluation.table", ("envs", "redteam"), id="ladder"
        ),
    ],
)
def test_import_brings_no_forbidden_module(modules: str, forbidden: tuple[str, ...]) -> None:
    code = (
        f"import sys, {modules}\n"
        f"found = [m for m in sys.modules if m.startswith({forbidden!r})]\n"
        "sys.exit(', '.join(found) or None)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
