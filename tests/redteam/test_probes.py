"""Every probe holds, and each kind of probe notices when what it looks for is planted."""

from __future__ import annotations

import dataclasses
import itertools
import re
import time
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from rdkit import Chem

from envs.arguments import Request
from envs.environment import MolforgeEnvironment
from molforge import laboratory, reward, seeding
from molforge.chem import series, structure
from molforge.chem.environments import ring_systems_of
from molforge.chem.structure import Structure
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


@pytest.fixture
def _forget_drawings() -> Iterator[None]:
    drawings._base.cache_clear()
    yield
    drawings._base.cache_clear()


def _lenient(smiles: str) -> Any:
    """Read what the product refuses or recognises, as a compound of the drawing's own."""
    text = re.split(r"[\s\x00\u200b]", smiles)[0]
    mol = max(Chem.GetMolFrags(Chem.MolFromSmiles(text), asMols=True), key=lambda part: part.GetNumAtoms())
    for atom in mol.GetAtoms():
        atom.SetIsotope(0)
        atom.SetAtomMapNum(0)
    found = structure.parse(Chem.MolToSmiles(Chem.RemoveHs(mol)))
    return dataclasses.replace(found, identity=f"{zlib.crc32(smiles.encode()):016x}")


@pytest.mark.usefixtures("_forget_drawings")
@pytest.mark.parametrize(
    "kind", ["atom_order", "tautomers", "charges", "isotopes", "salts", "atom_maps", "cxsmiles"]
)
def test_drawings_notice_an_identity_that_follows_the_drawing(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(laboratory, "parse", _lenient)

    assert not PROBES[kind]().held


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
    plain = seeding.world_key
    monkeypatch.setattr(
        seeding, "world_key", lambda secret, **names: plain(secret, **{**names, "split": "train"})
    )

    assert not sessions.seed_arithmetic().held


@pytest.mark.slow
def test_seed_arithmetic_notices_settings_that_share_their_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Request, "settings", lambda _: ())

    found = sessions.seed_arithmetic()

    assert not found.held
    assert "other difficulty +1.00, other targets +1.00" in found.detail


def test_resets_notice_given_readings_of_a_noise_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = seeding.noise_key
    monkeypatch.setattr(seeding, "noise_key", lambda world, _: plain(world, next(count)))
    count = itertools.count()

    assert not sessions.resets().held


def test_claims_notice_keys_that_see_bonds(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(structure: Structure) -> frozenset[int]:
        return frozenset(system.key for system in ring_systems_of(structure) if len(system.atoms) > 6)

    series._scaffolds.clear()
    monkeypatch.setattr(series, "_fused", drawn)

    found = drawings.claims()
    series._scaffolds.clear()

    assert not found.held


def test_duplicates_notice_a_call_that_counts_names(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = Laboratory._chosen_assays
    monkeypatch.setattr(Laboratory, "_chosen_assays", lambda self, names: chosen(self, names) * len(names))

    assert not drawings.duplicates().held


def test_reset_arguments_notice_one_that_is_bent_into_something(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = MolforgeEnvironment.reset

    def bent(self: MolforgeEnvironment, given: Any) -> Any:
        steps = given.get("max_steps")
        return plain(self, {**given, "max_steps": 30} if steps and steps > 30 else given)

    monkeypatch.setattr(MolforgeEnvironment, "reset", bent)

    assert not numbers.reset_arguments().held


def test_hostile_structures_notice_a_slow_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(smiles: str) -> Any:
        until = time.process_time() + (0.6 if smiles.startswith("C1") else 0.0)
        while time.process_time() < until:
            pass
        return structure.parse(smiles)

    monkeypatch.setattr(laboratory, "parse", slow)

    assert not channels.hostile_structures().held


SERVER_FAULTS = {
    "two_sockets": """
import app.ws
from app.sessions import Origin
def seat(request, service):
    session_id = request.query.get("session_id")
    return (service.find(session_id), False) if session_id else (service.take_place(Origin.SOCKET), True)
app.ws._seat = seat
""",
    "two_callers": """
from envs.environment import MolforgeEnvironment
plain = MolforgeEnvironment.step
def twice(self, action):
    plain(self, action)
    return plain(self, action)
MolforgeEnvironment.step = twice
""",
    "second_programme": """
from app import mcp_tools
async def brief(given, service, session):
    return mcp_tools._stepped(await service.reset(session, given, by_tool=True), is_action=False)
mcp_tools._brief = brief
""",
    "other_sessions": """
from app.sessions import SessionTable
plain = SessionTable.known
def known(self, session_id):
    return plain(self, session_id) if session_id in self._sessions else next(iter(self._sessions.values()))
SessionTable.known = known
""",
    "log_and_metrics": """
import logging
from envs.environment import MolforgeEnvironment
plain = MolforgeEnvironment.step
def step(self, action):
    logging.getLogger("molforge").warning("step %s", action)
    return plain(self, action)
MolforgeEnvironment.step = step
""",
    "killed_server": """
import os
from molforge import seeding
plain = seeding.normal
seeding.normal = lambda key, *names: plain(key, os.getpid(), *names)
""",
}


def test_every_probe_of_a_server_has_a_fault_to_find() -> None:
    assert set(SERVER_FAULTS) == set(PROBES) - set(IN_PROCESS)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SERVER_FAULTS)
def test_probe_of_a_server_notices_what_is_planted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "serving", partial(sessions.serving, prelude=SERVER_FAULTS[name]))

    assert not PROBES[name]().held
