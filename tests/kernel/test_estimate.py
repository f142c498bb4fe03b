"""Readings add up honestly: calls share an offset, % readings are converted once, bounds stay bounds."""

from __future__ import annotations

import math

import pytest

from molforge import seeding
from molforge.assays import ASSAYS, Z90
from molforge.estimate import BOUND_SE, Estimate, Run, combine, variance_of_call
from molforge.percent import inhibition, potency_of, potency_se

KEY = seeding.derive(b"tests", "estimate")
DIRECT, SINGLE, SINGLE_10 = "potency", "potency_single", "potency_single_10"


def run(name: str, *readings: float | str) -> Run:
    """Return readings of one call; ``">85"`` is a censored one."""
    assay = ASSAYS[name]
    return Run(
        assay=name,
        values=tuple(float(str(reading).lstrip("<>")) for reading in readings),
        qualifiers=tuple(str(reading)[0] if str(reading)[0] in "<>" else "" for reading in readings),
        well_se=assay.well_se,
        run_se=assay.run_se,
        micromolar=assay.micromolar,
    )


def measured(name: str, true: float, *, call: int, readings: int) -> Estimate:
    """Return what readings of one call of the real assay say."""
    assay = ASSAYS[name]
    told = [
        assay.read(true, key=KEY, call=call, identity=f"{true}/{call}", replicate=replicate)
        for replicate in range(readings)
    ]
    return combine([run(name, *(f"{qualifier}{value}" for value, qualifier in told))])


def test_readings_of_one_call_share_the_offset_and_calls_do_not() -> None:
    assay = ASSAYS[DIRECT]
    one = variance_of_call(2, well_se=assay.well_se, run_se=assay.run_se)

    together = combine([run(DIRECT, 7.0, 8.0)])
    apart = combine([run(DIRECT, 7.0), run(DIRECT, 8.0)])

    assert together.value == pytest.approx(apart.value) == pytest.approx(7.5)
    assert together.variance == pytest.approx(one)
    assert apart.variance < together.variance


def test_a_better_assay_weighs_more() -> None:
    assert combine([run(DIRECT, 7.0), run("potency_confirm", 8.0)]).value > 7.7


@pytest.mark.parametrize("micromolar", [1.0, 10.0])
def test_conversion_is_the_inverse_of_the_hill_curve(micromolar: float) -> None:
    half = 6.0 - math.log10(micromolar)
    assert inhibition(half, micromolar) == 50.0
    assert inhibition(half + 1.0, micromolar) == pytest.approx(100 / 1.1)
    assert inhibition(-1e9, micromolar) == pytest.approx(0.0)
    for potency in (half - 0.7, half, half + 0.6):
        percent = inhibition(potency, micromolar)
        assert potency_of(percent, micromolar) == pytest.approx(potency)
        step = potency_of(percent + 1e-4, micromolar) - potency_of(percent - 1e-4, micromolar)
        assert potency_se(percent, 2e-4) == pytest.approx(step, rel=1e-6)


@pytest.mark.parametrize("readings", [1, 2, 8])
@pytest.mark.parametrize("true", [5.5, 6.0, 6.5])
def test_converted_interval_covers_ninety_percent_where_the_curve_is_steep(
    true: float, readings: int
) -> None:
    found = [measured(SINGLE, true, call=call, readings=readings) for call in range(3000)]
    told = [e for e in found if e.variance != BOUND_SE**2]

    hits = sum(abs(e.value - true) <= Z90 * math.sqrt(e.variance) for e in told)

    assert len(told) > 2000
    assert 0.88 <= hits / len(told) <= 0.94


@pytest.mark.parametrize("readings", [1, 2, 8])
@pytest.mark.parametrize("true", [4.0, 4.5, 5.0, 5.25, 6.75, 7.0, 7.5, 8.5])
def test_flat_ends_of_the_curve_seldom_pretend_to_know(true: float, readings: int) -> None:
    """Wherever the truth lies, a narrow interval that misses it comes in at most one case in seven."""
    found = [measured(SINGLE, true, call=call, readings=readings) for call in range(1500)]

    wrong = sum(
        e.variance != BOUND_SE**2 and abs(e.value - true) > Z90 * math.sqrt(e.variance) for e in found
    )

    assert wrong / len(found) < 1 / 7


@pytest.mark.parametrize(
    ("runs", "value"),
    [
        pytest.param([run(SINGLE, ">85")], potency_of(85, 1.0), id="above"),
        pytest.param([run(SINGLE, "<15")], potency_of(15, 1.0), id="below"),
        pytest.param([run(SINGLE, ">85", ">85", 80)], potency_of(85, 1.0), id="mostly-above"),
        pytest.param([run(SINGLE, ">85"), run(SINGLE_10, ">85")], potency_of(85, 1.0), id="tighter-one"),
        pytest.param(
            [run(SINGLE, "<15"), run(SINGLE_10, ">85")],
            (potency_of(15, 1.0) + potency_of(85, 10.0)) / 2,
            id="between",
        ),
    ],
)
def test_a_bound_is_a_bound_with_a_wide_error(runs: list[Run], value: float) -> None:
    assert combine(runs) == Estimate(pytest.approx(value), BOUND_SE**2)


def test_a_bound_says_nothing_beside_a_curve() -> None:
    assert combine([run(SINGLE, ">85"), run(DIRECT, 8.4)]) == combine([run(DIRECT, 8.4)])
    assert combine([run(SINGLE, "<15"), run(SINGLE_10, 50.0)]) == combine([run(SINGLE_10, 50.0)])


def test_percent_readings_are_averaged_before_they_are_converted() -> None:
    found = combine([run(SINGLE, 80.0, 40.0)])

    assert found.value == pytest.approx(potency_of(60.0, 1.0))
    assert combine([run(SINGLE, 60.0), run(DIRECT, 6.5)]).value > found.value


def test_more_readings_never_widen_an_estimate_of_an_assay() -> None:
    once, more = combine([run(SINGLE, 60.0)]), combine([run(SINGLE, 60.0), run(SINGLE, 60.0, 60.0)])

    assert more.variance < once.variance
