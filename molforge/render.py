"""The observation as text: a few hundred tokens that a language model can play from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from molforge.notebook import Notebook, Reading
from molforge.profile import Kind, Objective
from molforge.programme import Programme, Shift, Stage

_SHOWN = {"logp": "logP", "tpsa": "TPSA", "molecular_weight": "MW"}


def render_opening(programme: Programme, notebook: Notebook, *, ignored: list[str]) -> str:
    """Return the brief and the compounds in hand as text."""
    lines = [programme.title, "", f"Budget {programme.budget:g} credits, {programme.max_steps} actions."]
    lines += [
        *_stage(programme.stage),
        "",
        *(f"* {rule}" for rule in programme.rules),
        "",
        "Compounds in hand:",
    ]
    lines += [_compound(c.as_public(), notebook.of(c.id)) for c in notebook.compounds.values()]
    if ignored:
        lines += ["", f"Ignored arguments of reset: {', '.join(ignored)}"]
    return "\n".join(lines)


def render_step(
    *,
    compounds: list[dict[str, Any]],
    readings: list[Reading],
    suggestions: list[dict[str, str]],
    remarks: list[str],
    error: str | None,
    budget_left: float,
    steps_left: int,
    ending: str | None,
    shift: Shift | None,
) -> str:
    """Return what one action changed as text."""
    lines = []
    if error is not None:
        lines.append(f"Not done: {error}")
    lines += [remark for remark in remarks if remark not in (error or "")]
    grouped: dict[str, dict[str, list[Reading]]] = {}
    for reading in readings:
        grouped.setdefault(reading.compound, {}).setdefault(reading.reads, []).append(reading)
    listed = set()
    for compound in compounds:
        if "refused" not in compound:
            listed.add(compound["id"])
            lines.append(_compound(compound, grouped.get(compound["id"], {})))
    lines += [f"{name}: {_readings(by)}" for name, by in grouped.items() if name not in listed]
    lines += [f"suggestion {s['smiles']} ({s['transformation']})" for s in suggestions]
    if shift is not None:
        lines += [shift.notice, *_stage(shift.stage), ""]
    lines.append(ending or f"Budget left {budget_left:g} credits, {steps_left} actions left.")
    return "\n".join(lines)


def _stage(stage: Stage) -> list[str]:
    return [
        "Target product profile (all must hold for the whole score):",
        *(f"- {_objective(objective)}" for objective in stage.profile.objectives),
        "Assays (credits, se):",
        *(f"- {a.name}: {a.price:g}, se {a.se:.2f} {a.unit}{_at(a.micromolar)}" for a in stage.menu),
    ]


def _objective(objective: Objective) -> str:
    numbers = objective.limits
    if objective.kind is Kind.WINDOW:
        worst, low, high, worst_high = numbers
        target = f"between {low:g} and {high:g} (worthless below {worst:g} or above {worst_high:g})"
    elif objective.kind is Kind.UP:
        target = f"at least {numbers[1]:g} (worthless below {numbers[0]:g})"
    else:
        target = f"at most {numbers[1]:g} (worthless above {numbers[0]:g})"
    made_of = " - ".join(name for name, _ in objective.terms)
    formula = f" = {made_of}" if len(objective.terms) > 1 else ""
    return (
        f"{objective.name}{formula} [{objective.unit}] {target}, weight {objective.weight:g}, "
        f"read by {', '.join(objective.assays)}"
    )


def _compound(compound: dict[str, Any], by_property: Any) -> str:
    shown = ", ".join(f"{label} {compound['properties'][name]:.3g}" for name, label in _SHOWN.items())
    status = "made" if compound["made"] else f"not made, {compound['make_price']:g} credits"
    alerts = f"; alerts {', '.join(compound['alerts'][:3])}" if compound["alerts"] else ""
    claim = {None: "", 0.0: "; outside the claim", 1.0: "; inside the claim"}[
        compound["properties"].get("inside_claim")
    ]
    readings = _readings(by_property)
    told = f" | {readings}" if readings else ""
    return f"{compound['id']} {compound['smiles']} ({status}; {shown}{claim}{alerts}){told}"


def _readings(by_property: Mapping[str, Iterable[Reading]]) -> str:
    told: dict[str, list[str]] = {}
    for name, readings in by_property.items():
        for r in readings:
            percent = r.micromolar is not None
            value = f"{r.qualifier}{r.value:.0f}%" if percent else f"{r.qualifier}{r.value:.2f}"
            told.setdefault(name + _at(r.micromolar), []).append(value)
    return ", ".join(f"{name} {' '.join(values)}" for name, values in told.items())


def _at(micromolar: float | None) -> str:
    """Return the concentration as it stands behind what was read there."""
    return "" if micromolar is None else f" at {micromolar:g} uM"
