"""Assays: stated errors are true, noise is keyed, censoring holds."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from molforge import seeding
from molforge.assays import ASSAYS, Z90, Assay, failure_probability, make_price, synthesis_fails

NOISY = [assay for assay in ASSAYS.values() if not assay.is_exact]
KEY = seeding.derive(b"tests", "assays")


@pytest.mark.parametrize("assay", NOISY, ids=lambda assay: assay.name)
def test_stated_interval_covers_ninety_percent_of_readings(assay: Assay) -> None:
    """10,000 readings from 2,500 calls, before censoring."""
    free = replace(assay, low=-math.inf, high=math.inf)
    half = Z90 * assay.as_menu()["se"]
    rng = random.Random(7)
    hits = total = 0
    for call in range(2500):
        for compound in range(4):
            true = rng.uniform(4.0, 9.0)
            value, qualifier = free.read(
                true, key=KEY, call=call, identity=f"{call}/{compound}", replicate=compound % 2
            )
            hits += abs(value - assay.signal(true)) <= half
            total += 1
            assert qualifier == ""

    assert 0.88 <= hits / total <= 0.92


def test_interval_that_is_too_narrow_does_not_cover() -> None:
    """The check above can fail: run offsets and outliers left out, coverage falls under 88 %."""
    assay = replace(ASSAYS["herg"], low=-math.inf, high=math.inf)
    values = [assay.read(6.0, key=KEY, call=i, identity=str(i), replicate=0)[0] for i in range(10000)]

    assert sum(abs(value - 6.0) <= Z90 * 0.9 * assay.sd for value in values) / 10000 < 0.88


def test_units_and_ranges_are_those_of_a_laboratory() -> None:
    assert {assay.reads for assay in ASSAYS.values()} == {
        "potency", "potency_variant", "anti_target", "off_target", "off_target_2", "herg", "hlm", "rlm",
        "solubility", "efflux", "ppb", "logd", "prior_art",
    }  # fmt: skip
    for assay in NOISY:
        assert assay.price > 0
        assert assay.run_sd < assay.sd
        assert assay.low < assay.high
        assert assay.unit


def test_stated_error_is_a_little_above_the_one_without_outliers() -> None:
    for assay in NOISY:
        assert 1.02 <= assay.inflation <= 1.05


def test_same_reading_is_the_same_and_a_replicate_is_a_new_draw() -> None:
    assay = ASSAYS["potency"]

    first = assay.read(7.0, key=KEY, call=1, identity="a", replicate=0)
    again = assay.read(7.0, key=KEY, call=1, identity="a", replicate=0)
    others = {assay.read(7.0, key=KEY, call=1, identity="a", replicate=n)[0] for n in range(1, 9)}

    assert first == again
    assert len(others) > 4


def test_readings_of_one_call_share_their_offset() -> None:
    assay = Assay("x", "x", "", 1.0, 0.0, 0.5)
    a = assay.read(0.0, key=KEY, call=3, identity="a", replicate=0)[0]
    b = assay.read(0.0, key=KEY, call=3, identity="b", replicate=0)[0]
    c = assay.read(0.0, key=KEY, call=4, identity="a", replicate=0)[0]

    assert a == b != c


@pytest.mark.parametrize(
    ("true", "expected"),
    [pytest.param(1.0, (4.5, "<"), id="below"), pytest.param(15.0, (11.0, ">"), id="above")],
)
def test_values_outside_the_range_are_censored_at_its_bound(true: float, expected: tuple[float, str]) -> None:
    assert ASSAYS["potency"].read(true, key=KEY, call=0, identity="a", replicate=0) == expected


def test_synthesis_fails_as_often_as_stated() -> None:
    sa = 4.2
    failed = sum(synthesis_fails(sa, key=KEY, identity=str(i), attempt=0) for i in range(5000)) / 5000

    assert failed == pytest.approx(failure_probability(sa), abs=0.02)
    assert failure_probability(3.0) == 0.0
    assert failure_probability(9.0) == 0.3
    assert make_price(1.5) == 10.0
    assert make_price(4.0) == 18.0


def test_normal_deviates_have_mean_zero_and_variance_one() -> None:
    draws = [seeding.normal(KEY, "n", i) for i in range(20000)]
    mean = math.fsum(draws) / len(draws)
    variance = math.fsum(x * x for x in draws) / len(draws)

    assert abs(mean) < 0.03
    assert abs(variance - 1.0) < 0.04
