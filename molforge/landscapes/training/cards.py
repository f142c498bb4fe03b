"""Data cards: one page of markdown beside every data file, written by the run that made the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from molforge.landscapes.catalogue import MODELS, Kind, pool_file
from molforge.landscapes.model import PropertyModel
from molforge.landscapes.pool import PARTS, Pool
from molforge.landscapes.training.build import HeldOut
from molforge.landscapes.training.pools import (
    MOST_ALIKE,
    NEAREST,
    SELECTIVITY,
    Effort,
    searches_for,
    wishes_for,
)
from molforge.landscapes.training.sources import SOURCES, Measurements, Source

_SPLITS = {
    "column": "the published train/test split",
    "file": "the published train/test split",
    "framework": (
        "no split was published: one fifth of the generic frameworks, chosen by hash, so that test compounds "
        "have other skeletons than training compounds (a framework of over a tenth of the compounds trains)"
    ),
}
_PRIORS = {
    Kind.POTENCY: (
        "Prior mean 4.5 (inactive), decoys from ZINC250k presumed at 4.5 +- 0.3, hidden values drawn towards "
        "4.5 where the nearest measured ligand is less similar than about 0.45."
    ),
    Kind.ANTITARGET: (
        "Prior mean that of the population, no decoys and no applicability weight: an inactive prior on a "
        "liability would reward leaving the data."
    ),
    Kind.ADMET: "Prior mean that of the population, no decoys and no applicability weight.",
}
_LINEAR = (
    "A linear term in the counts of common atom environments is part of the mean; it stands in for computed "
    "logP, which depends on how a compound is drawn. (In a trial on another scaffold split: RMSE 0.661 "
    "without it, 0.652 with it, 0.645 with computed logP.)"
)


_POOLS = SOURCES["logd"]
"""Every pool was searched with the logD model, whatever its target: its licence is that model's."""
_WISHES = {
    SELECTIVITY: "selectivity",
    "solubility": "solubility",
    "hlm": "low clearance",
    "efflux": "low efflux",
    "herg": "a weak hERG block",
    "all": "all four of these properties",
}


def model_card(model: PropertyModel, data: Measurements, held: HeldOut) -> str:
    """Return the card of a model."""
    record, source = MODELS[model.name], SOURCES[model.name]
    read, train = len(data.values) + data.refused, int(data.is_train.sum())
    prior = " ".join([_PRIORS[model.kind], *([_LINEAR] if model.has_linear_term else [])])
    fixed = "fixed" if model.kind is Kind.POTENCY else "estimated"
    return f"""# {record.title} (`{model.name}`)

A Gaussian process over structure, trained on measured data, from which each world draws its own function.
Its values are stand-ins for experiments in a game. They are no predictions to act on.

| | |
|---|---|
| unit | {model.unit} |
| file | `{record.artefact}`, SHA-256 `{model.digest}` |
| source | {source.citation} |
| taken from | {source.origin} |
| data released | {source.released} |
| rows | {read:,} read, {data.refused} left out ({_left_out(source)}) |
| training | {train:,} compounds, {model.card["decoys"]} decoys |
| split | {_SPLITS[source.split]}; {data.repeated()} test compounds also in training |
| licence | {_licence(source)} |

## Held-out error

Measured by the run that wrote the file, with the file's own integer arithmetic, on {held.compounds} test
compounds.

| RMSE | Spearman | 90 % intervals that hold the measurement |
|---|---|---|
| {held.rmse:.3f} | {held.spearman:.3f} | {held.coverage:.1%} |

## How it is made

Exact Gaussian process, MinMax kernel on counts of radius-2 atom environments of the heavy-atom skeleton, so
that protonation, heteroatom tautomers and drawing make no difference. {prior}
Hyperparameters by marginal likelihood: amplitude {model.card["amplitude"]} (variance), noise
{model.card["noise_sd"]} (standard deviation), prior mean {model.mean:.2f} ({fixed}). A world's deviation from
the mean model is squashed at {model.squash} units. {model.columns} random columns, 8 bits each.
{_widened(model, held)}
The file holds hashed environments, weights and random columns, no structures. Still, whoever has it can work
out the training values from tokens and weights.
"""


def pool_card(pool: Pool, models: Sequence[PropertyModel], effort: Effort) -> str:
    """Return the card of a pool, described by the models that made it."""
    values = {f"`{model.name}`, mean model": pool.seen_by(model) for model in models}
    values |= {"similarity to the nearest ligand": pool.nearest, "synthetic accessibility": pool.sa}
    rows = "\n".join(
        f"| {name} | " + " | ".join(f"{x:.2f}" for x in np.quantile(column, _QUANTILES)) + " |"
        for name, column in values.items()
    )
    searches = searches_for(pool.name, effort)
    parts = ", ".join(f"{part} {pool.part.count(part):,}" for part in PARTS)
    return f"""# Reference designs for {MODELS[pool.name].title} (`pool_{pool.name}`)

{len(pool):,} structures of our own that every programme on this target is measured against: they set its
limits and prove that it can be solved. None was made or measured by anybody for this purpose.

| | |
|---|---|
| file | `{pool_file(pool.name)}`, SHA-256 `{pool.digest}` |
| models searched | {", ".join(f"`{model.name}`" for model in models)} |
| splits, by generic framework | {parts} |
| licence | {_licence(_POOLS)} |

| | 5 % | 25 % | 50 % | 75 % | 95 % |
|---|---|---|---|---|---|
{rows}

Made by {searches} genetic searches of {effort.evaluations:,} structures each on the mean models, started
from ligands of low, middle and all activity, each with its own wish for logD and its own weight of one
further wish ({_wishes(pool.name)}).
Kept: what passes every gate, has a similarity of {NEAREST[0]} to {NEAREST[1]} to the nearest measured
ligand and at most {MOST_ALIKE} to any other design, is no measured compound, and fits a cap per half log unit
of potency (a narrower step where the designs reach less far up).
"""


_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def index_card(names: list[str], pools: list[str]) -> str:
    """Return the README of the data folder."""
    models = "\n".join(
        f"| [`{name}.mfl`]({name}.md) | {MODELS[name].title} | {SOURCES[name].licence} |" for name in names
    )
    designs = "\n".join(
        f"| [`pool_{name}.mfl`](pool_{name}.md) | Reference designs, {MODELS[name].title} "
        f"| {_POOLS.licence} |"
        for name in pools
    )
    return f"""# Landscape data

Made by `molforge train-landscapes`, one data card each. The licence of a file is that of the data behind
it, and is not that of the code around it.

| file | what | licence |
|---|---|---|
{models}
{designs}
| `curves.mfl` | Tables of tanh and of the applicability weight | as the code |
"""


def write(folder: Path, name: str, text: str) -> None:
    """Write a card beside its data file."""
    (folder / f"{name}.md").write_text(text, encoding="utf-8")


def _wishes(target: str) -> str:
    return ", ".join(dict.fromkeys(_WISHES[wish] for wish in wishes_for(target)))


def _left_out(source: Source) -> str:
    censored = "a bound instead of a value, " if source.raw else ""
    return f"{censored}unreadable, or over 50 heavy atoms"


def _widened(model: PropertyModel, held: HeldOut) -> str:
    if held.widening <= 1:
        return ""
    stated = held.widening * model.card["noise_sd"]
    return f"""
The intervals above take the noise of a measurement as {stated:.2f}, {held.widening:.2f} times what the
likelihood gives: with that, cross-validated 90 % intervals hold 90 % of the training part when whole
frameworks are left out. The file does not depend on it.
"""


def _licence(source: Source) -> str:
    return f"{source.licence}. {source.attribution}"
