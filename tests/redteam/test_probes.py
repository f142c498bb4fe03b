"""Every probe holds, and each kind of probe notices when what it looks for is planted."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from envs.environment import MolforgeEnvironment
from molforge import laboratory, reward, seeding
from molforge.chem import structure
from molforge.contract import Phase
from molforge.episode import Episode
from molforge.laboratory import Laboratory
from redteam import channels, drawings, numbers, sessions
from redteam.attacks import POLICY_ATTACKS, PROBES

IN_PROCESS = [name for name, probe in PROBES.items() if not probe.needs_server]
LONG = {
    "atom_order", "cxsmiles", "dense_and_sparse", "cycling", "messages", "what_free_actions_ask", "latency",
    "state_size", "seed_arithmetic", "secret_guessing", "resets", "tautomers", "salts",
}  # fmt: skip
"""More than a few seconds each, once every target's designs have to be projected first."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in LONG else n for n in IN_PROCESS]
)
def test_probe_holds(name: str) -> None:
    finding = PROBES[name]()

    assert finding.held, finding.detail


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", [name for name in PROBES if name not in IN_PROCESS])
def test_probe_of_a_server_holds(name: str) -> None:
    finding = PROBES[name]()

    assert finding.held, finding.detail


def test_every_attack_can_be_made() -> None:
    for attack in POLICY_ATTACKS.values():
        assert callable(attack(MolforgeEnvironment()).act), attack.name


# --- planted faults -------------------------------------------------------------------------------


def test_drawings_notice_an_identity_that_follows_the_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    original = structure.parse

    def naive(smiles: str) -> Any:
        return dataclasses.replace(original(smiles), identity=f"{hash(smiles) & 0xFFFFFFFF:016x}")

    monkeypatch.setattr(laboratory, "parse", naive)
    drawings._base.cache_clear()
    found = drawings.charges()
    drawings._base.cache_clear()

    assert not found.held


@pytest.mark.slow
def test_asking_again_notices_noise_without_a_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    import random

    monkeypatch.setattr(seeding, "normal", lambda *_: random.SystemRandom().gauss(0, 1))

    assert not numbers.asking_again().held
    assert not sessions.resets().held


def test_replicates_notice_a_laboratory_that_takes_any_count(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Laboratory.assay
    monkeypatch.setattr(
        Laboratory, "assay", lambda self, action: original(self, dataclasses.replace(action, replicates=1))
    )

    assert not numbers.replicates().held


def test_predictions_notice_what_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Episode, "_checked", lambda self, name, p: {"value": 0.0, "low": 0.0, "high": 1.0})

    assert not numbers.predictions().held


def test_after_the_end_notices_an_open_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Episode, "is_over", lambda self: self.phase is Phase.TRUNCATED)

    assert not numbers.after_the_end().held


@pytest.mark.slow
def test_cycling_notices_reward_for_every_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Episode, "_progress", lambda self: 0.01)

    assert not numbers.cycling().held


@pytest.mark.slow
def test_dense_and_sparse_notice_a_bonus_in_one_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "CATALOGUE", {"triage": None})
    monkeypatch.setattr(reward, "potential", lambda *_: 0.5)
    monkeypatch.setattr(Episode, "_progress", lambda self: 0.01 * (self.programme.reward_mode == "dense"))

    assert not numbers.dense_and_sparse().held


def test_overdraft_notices_a_laboratory_on_credit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Laboratory, "_check_price", lambda *_: None)

    assert not numbers.overdraft().held


@pytest.mark.slow
def test_channels_notice_a_quote_that_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Laboratory._register

    def leaking(self: Any, found: Any) -> Any:
        compound = original(self, found)
        compound.make_price += round(0.1 * self.programme.world.values(found)["potency"], 2)
        return compound

    monkeypatch.setattr(Laboratory, "_register", leaking)
    monkeypatch.setattr(channels, "CATALOGUE", {"potency": None})

    assert not channels.what_free_actions_ask().held
    assert not channels.messages().held


@pytest.mark.slow
def test_state_size_notices_a_remark_that_grows_with_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Laboratory.design

    def chatty(self: Any, action: Any) -> Any:
        outcome = original(self, action)
        best = max(
            self.programme.world.values(self._structures[c["id"]])["potency"] for c in outcome.compounds
        )
        outcome.remarks.append("!" * round(10 * best))
        return outcome

    monkeypatch.setattr(Laboratory, "design", chatty)

    assert not channels.state_size().held


@pytest.mark.slow
def test_latency_notices_work_that_follows_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    original = Laboratory._register

    def slow(self: Any, found: Any) -> Any:
        until = time.process_time() + 2e-3 * self.programme.world.values(found)["potency"]
        while time.process_time() < until:
            pass
        return original(self, found)

    monkeypatch.setattr(Laboratory, "_register", slow)

    assert not channels.latency().held


def test_injected_text_notices_names_that_are_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laboratory, "as_word", lambda text: text)

    assert not channels.injected_text().held


def test_refusal_order_notices_a_reason_that_knows_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Laboratory.design

    def moody(self: Any, action: Any) -> Any:
        outcome = original(self, action)
        for compound in outcome.compounds:
            if "refused" in compound:
                compound["refused"]["reason"] += str(self.programme.seed)
        return outcome

    monkeypatch.setattr(Laboratory, "design", moody)

    assert not channels.refusal_order().held


def test_splitting_notices_a_discount(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Laboratory._pay
    monkeypatch.setattr(Laboratory, "_pay", lambda self, price: original(self, price if price < 8 else 7.0))

    assert not numbers.splitting().held


@pytest.mark.slow
def test_secret_guessing_notices_worlds_without_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        seeding, "world_key", lambda secret, **names: seeding.derive(b"", *map(str, names.values()))
    )

    assert not sessions.secret_guessing().held


@pytest.mark.slow
def test_seed_arithmetic_notices_splits_that_share_their_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        seeding, "world_key", lambda secret, *, family, split, seed: seeding.derive(secret, seed)
    )

    assert not sessions.seed_arithmetic().held


def test_duplicates_notice_a_call_that_counts_names(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = Laboratory._chosen_assays
    monkeypatch.setattr(Laboratory, "_chosen_assays", lambda self, names: chosen(self, names) * len(names))

    assert not drawings.duplicates().held
