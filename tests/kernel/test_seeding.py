"""Keys: nothing of one seed, split, family or secret is shared with another."""

from __future__ import annotations

from molforge import seeding


def test_every_part_of_the_address_changes_the_key() -> None:
    usual = {"family": "potency", "split": "train", "seed": 7}
    changes = ({}, {"family": "triage"}, {"split": "test"}, {"seed": 8}, {"settings": ("difficulty 0.5",)})

    keys = {seeding.world_key(b"s", **{**usual, **change}) for change in changes}

    assert len(keys | {seeding.world_key(b"t", **usual)}) == 6


def test_names_cannot_be_run_together() -> None:
    assert seeding.derive(b"k", "ab", "c") != seeding.derive(b"k", "a", "bc")


def test_fingerprint_tells_secrets_apart_without_holding_them() -> None:
    one, other = seeding.secret_fingerprint(b"one"), seeding.secret_fingerprint(b"other")

    assert one != other
    assert len(one) == 16


def test_default_streams_are_what_they_always_were() -> None:
    key = seeding.world_key(seeding.DEFAULT_SECRET, family="potency", split="train", seed=0)

    assert key.hex()[:16] == PUBLISHED_KEY
    assert seeding.uniform(key, "x") == seeding.uniform(key, "x") != seeding.uniform(key, "y")


PUBLISHED_KEY = "2e830306f5c2d09f"
"""Changing this changes every published world."""
