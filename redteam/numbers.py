"""Probes: numbers, calls and ends that somebody might have forgotten to check."""

from __future__ import annotations

import math
from collections.abc import Iterable

from envs import CATALOGUE
from envs.environment import MolforgeEnvironment
from molforge.actions import Action, ActionType, Prediction
from molforge.errors import EpisodeOver, MolforgeError
from molforge.policies import make
from redteam.attacks import Finding

A = ActionType
NAN, INF = math.nan, math.inf


def _open(task: str = "potency", **arguments: object) -> MolforgeEnvironment:
    environment = MolforgeEnvironment()
    environment.reset({"task_id": task, "seed": 3, **arguments})
    return environment


def _refused(actions: Iterable[Action]) -> Finding:
    """Every action must be refused, leave money and notebook alone and pay nothing."""
    environment, count = _open(), 0
    for action in actions:
        before = environment.state()
        step = environment.step(action)
        after = environment.state()
        changed = [name for name in ("budget_left", "compounds", "readings") if before[name] != after[name]]
        if step.observation["last_action_error"] is None or changed or step.reward or step.done:
            return Finding(held=False, detail=f"{action} was carried out: {changed}, reward {step.reward}")
        count += 1
    return Finding(held=count > 0, detail=f"{count} actions refused, nothing changed, nothing paid")


def replicates() -> Finding:
    """Negative, zero, huge counts of readings, designs and suggestions."""
    return _refused(
        [
            *(
                Action(action_type=A.ASSAY, compounds=("M1",), assays=("logd",), replicates=n)
                for n in (-1, 0, -(10**9), 10**9, 2**63)
            ),
            *(Action(action_type=A.SUGGEST, compound="M1", n=n) for n in (-1, 0, 9, 2**63)),
            Action(action_type=A.DESIGN, smiles=("CC(=O)Nc1ccc(OCCN2CCCCC2)cc1",) * 9),
            Action(action_type=A.ASSAY, compounds=("M1",) * 1, assays=()),
        ]
    )


def predictions() -> Finding:
    """NaN, infinite and crossed intervals, objectives that do not exist."""
    wrong = [
        (NAN, 0.0, 1.0),
        (0.0, NAN, 1.0),
        (0.0, 0.0, NAN),
        (INF, 0.0, 1.0),
        (0.0, -INF, INF),
        (0.0, 2.0, 1.0),
    ]
    actions = [
        Action(
            action_type=A.NOMINATE,
            compound="M1",
            predicted={"potency": Prediction(value=value, low=low, high=high)},
        )
        for value, low, high in wrong
    ]
    nonsense = {"score": Prediction(value=1.0, low=1.0, high=1.0)}
    return _refused([*actions, Action(action_type=A.NOMINATE, compound="M1", predicted=nonsense)])


def huge_interval_is_worth_nothing() -> Finding:
    """Finite but absurd intervals around the reference plan's nominee: never NaN, never more than honest."""
    from envs.reference import ReferencePlan

    scores = {}
    for label, width in (("honest", None), ("zero", 0.0), ("1e12", 1e12), ("1e308", 1e308)):
        environment = _open()
        policy, step = ReferencePlan(environment.episode), None
        while step is None or not step.done:
            action = policy.act({})
            if width is not None and action.action_type is A.NOMINATE:
                bent = {
                    name: Prediction(value=p.value, low=p.value - width, high=p.value + width)
                    for name, p in action.predicted.items()
                }
                action = Action(action_type=A.NOMINATE, compound=action.compound, predicted=bent)
            step = environment.step(action)
        parts = step.observation["score_parts"]
        scores[label] = (round(float(step.observation["score"]), 4), round(parts["calibration"], 4))
    held = all(math.isfinite(s) for s, _ in scores.values())
    held = held and scores["1e12"][1] == scores["1e308"][1] == 0.0
    held = held and max(s for s, _ in scores.values()) == scores["honest"][0]
    return Finding(held=held, detail=f"(score, calibration): {scores}")


def overdraft() -> Finding:
    """Ask for more than the budget pays, in one call and in many."""
    environment = _open()
    menu = environment.state()["brief"]["menu"]
    names = tuple(line["assay"] for line in menu)
    calls = lowest = 0
    while calls < 25:
        left = environment.state()["budget_left"]
        lowest = min(lowest, left)
        step = environment.step(
            Action(action_type=A.ASSAY, compounds=("M1", "M2", "M3", "M4"), assays=names, replicates=3)
        )
        calls += 1
        if step.done:
            break
    return Finding(held=lowest >= 0, detail=f"{calls} calls, {left:g} credits left, never below 0")


def after_the_end() -> Finding:
    """Nominate again, assay again, stop again after the programme has ended."""
    environment = _open()
    environment.step(Action(action_type=A.NOMINATE, compound="M1"))
    before, refused = environment.state(), 0
    for action in (
        Action(action_type=A.NOMINATE, compound="M2"),
        Action(action_type=A.ASSAY, compounds=("M1",), assays=("potency",)),
        Action(action_type=A.STOP),
        Action(command="nominate M1"),
    ):
        try:
            environment.step(action)
        except EpisodeOver:
            refused += 1
    same = environment.state() == before
    return Finding(held=refused == 4 and same, detail=f"{refused} of 4 refused, notebook unchanged: {same}")


def cycling() -> Finding:
    """Read the same compounds over and over: the rewards must sum to the score, 0.01."""
    worst = 0.0
    for task in CATALOGUE:
        environment, total = _open(task), 0.0
        step = environment.step(Action(action_type=A.ASSAY, compounds=("M1",), assays=("potency",)))
        total += step.reward
        while not step.done:
            turn = int(step.observation["steps_left"])
            step = environment.step(
                Action(action_type=A.ASSAY, compounds=(f"M{1 + turn % 4}",), assays=("logd", "potency"))
                if turn > 1
                else Action(action_type=A.STOP)
            )
            total += step.reward
        worst = max(worst, total - 0.01)
    return Finding(
        held=worst < 1e-9, detail=f"return above the floor: {worst:.1e} in {len(CATALOGUE)} families"
    )


def splitting() -> Finding:
    """Split and merged calls cost the same; what splitting gains is what the brief says it gains."""
    merged, split = _open(), _open()
    both = Action(action_type=A.ASSAY, compounds=("M1", "M2"), assays=("potency",))
    merged.step(both)
    for name in both.compounds:
        split.step(Action(action_type=A.ASSAY, compounds=(name,), assays=("potency",)))
    same_price = merged.state()["budget_left"] == split.state()["budget_left"]
    repeated, replicated = _open(), _open()
    for _ in range(2):
        repeated.step(Action(action_type=A.ASSAY, compounds=("M1",), assays=("potency",)))
    replicated.step(Action(action_type=A.ASSAY, compounds=("M1",), assays=("potency",), replicates=2))
    same_price = same_price and repeated.state()["budget_left"] == replicated.state()["budget_left"]
    wells = [[r["value"] for r in e.state()["readings"] if r["call"]] for e in (repeated, replicated)]
    first = wells[0][0] == wells[1][0]
    return Finding(
        held=same_price and first,
        detail=f"same price: {same_price}; wells {wells[0]} in two calls, {wells[1]} in one",
    )


def asking_again() -> Finding:
    """The same question in a fresh session of the same seed gives the same reading: nothing to average."""
    told = set()
    for _ in range(4):
        step = _open().step(Action(action_type=A.ASSAY, compounds=("M1",), assays=("potency", "solubility")))
        told.add(tuple(reading["value"] for reading in step.observation["readings"]))
    return Finding(held=len(told) == 1, detail=f"{len(told)} different answers in 4 sessions")


def dense_and_sparse() -> Finding:
    """Both reward modes give every policy the same score and the same return, so the same ranking."""
    gap, games = 0.0, 0
    for task in CATALOGUE:
        for name in ("noop", "random", "greedy"):
            results = []
            for mode in ("dense", "sparse"):
                environment, policy = MolforgeEnvironment(), make(name)
                step = environment.reset({"task_id": task, "seed": 5, "reward_mode": mode})
                policy.begin(step.observation)
                total = 0.0
                while not step.done:
                    step = environment.step(policy.act(step.observation))
                    total += step.reward
                results += [total, float(step.observation["score"])]
            gap = max(gap, max(results) - min(results))
            games += 2
    return Finding(held=gap < 1e-9, detail=f"largest difference {gap:.1e} over {games} games")


def reset_arguments() -> Finding:
    """Impossible arguments of reset are refused with what is allowed, not bent into something."""
    wrong: tuple[dict[str, object], ...] = (
        {"seed": -1},
        {"seed": 2**63},
        {"seed": 1.5},
        {"seed": NAN},
        {"seed": True},
        {"index": 1000},
        {"difficulty": NAN},
        {"difficulty": -0.1},
        {"difficulty": INF},
        {"max_steps": 0},
        {"max_steps": 31},
        {"noise_seed": -1},
        {"reward_mode": "generous"},
        {"targets": []},
        {"targets": ["nothing"]},
        {"split": "secret"},
        {"task_id": "../potency"},
    )
    refused = 0
    for arguments in wrong:
        try:
            MolforgeEnvironment().reset(arguments)
        except MolforgeError:
            refused += 1
    return Finding(held=refused == len(wrong), detail=f"{refused} of {len(wrong)} refused")
