from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from molforge.chem.gates import check, redrawn
from molforge.chem.properties import alerts, properties
from molforge.chem.structure import framework, parse
from molforge.errors import EnvironmentFault
from molforge.landscapes.catalogue import ANTI, DATA, MODELS, TARGETS, pool_file
from molforge.landscapes.model import PropertyModel, landscape
from molforge.landscapes.pool import PARTS, Pool
from molforge.landscapes.world import World

FIRST = ("thrombin", "fxa", "h3")
"""Their ligands are many and reach high; others have fewer frameworks and a shorter range."""
ROLES = {
    "potency": "fxa",
    "anti_target": "thrombin_anti",
    "logd": "logd",
    "solubility": "solubility",
    "hlm": "hlm",
    "off_target": "off_target",
}


@pytest.mark.parametrize("target", TARGETS)
def test_designs_are_what_the_parser_and_the_gates_say(target: str) -> None:
    pool = Pool.load(target)
    world = World({"potency": target}, key=b"")

    for place in range(0, len(pool), 29):
        structure = parse(pool.smiles[place])

        check(structure)
        assert redrawn(structure) is structure
        assert structure.identity == pool.identities[place]
        assert pool.described(place) == (properties(structure), alerts(structure))
        assert repr(dict(pool.described(place)[0])) == repr(properties(structure))  # 3 is not 3.0 on the wire
        assert structure.smiles == pool.smiles[place]
        assert np.array_equal(structure.tokens, pool.tokens[place])
        assert pool.nearest[place] == pytest.approx(world.nearest(structure, "potency"), abs=0.0011)


@pytest.mark.parametrize("target", TARGETS)
def test_pool_is_spread_inside_its_domain(target: str) -> None:
    pool = Pool.load(target)
    potency = pool.mean_values({"potency": target})["potency"]
    low, high = np.quantile(potency, [0.05, 0.95])

    assert len(pool) == len(set(pool.smiles)) >= 1800
    assert pool.nearest.min() >= 0.42
    assert pool.nearest.max() <= 0.84
    assert pool.sa.max() <= 4.5
    assert low < 6
    assert high > (8.5 if target in FIRST else low + 1.7)
    shares = [pool.part.count(part) / len(pool) for part in PARTS]
    assert shares == pytest.approx([0.6, 0.2, 0.2], abs=0.06 if target in FIRST else 0.12)


@pytest.mark.parametrize("target", TARGETS)
def test_designs_of_one_framework_share_a_part(target: str) -> None:
    pool = Pool.load(target)
    seen: dict[str, str] = {}

    for smiles, part in list(zip(pool.smiles, pool.part, strict=True))[::7]:
        assert seen.setdefault(framework(parse(smiles)), part) == part


def test_pool_path_agrees_with_the_single_molecule_path() -> None:
    pool = Pool.load("fxa")

    for key in (b"1", b"2"):
        world = World(ROLES, key=key)
        fast = pool.values(world)
        for place in range(0, len(pool), 37):
            exact = world.values(parse(pool.smiles[place]))
            for role, value in exact.items():
                assert fast[role][place] == pytest.approx(value, abs=0.0016)


def test_mean_values_are_the_middle_of_many_worlds() -> None:
    pool = Pool.load("fxa")
    roles = {"potency": "fxa", "logd": "logd", "off_target": "off_target"}

    drawn = [pool.values(World(roles, key=bytes([key]))) for key in range(120)]
    means = pool.mean_values(roles)

    for role, mean in means.items():
        middle = np.mean([values[role] for values in drawn], 0)
        assert abs(float((middle - mean).mean())) < 0.05
        if role != "off_target":
            assert np.corrcoef(middle, mean)[0, 1] > 0.95
    assert set(means["off_target"]) == {5.5}


def test_worlds_reorder_the_designs() -> None:
    pool = Pool.load("h3")
    ranks = [
        pool.values(World({"potency": "h3"}, key=bytes([key])))["potency"].argsort().argsort()
        for key in (1, 2)
    ]

    assert 0.5 < np.corrcoef(ranks)[0, 1] < 0.95


def test_projection_is_kept_in_a_folder_for_other_processes(tmp_path: Path) -> None:
    world = World({"potency": "h3", "off_target": "off_target"}, key=b"k")
    plain = Pool.load("h3").values(world)

    made = Pool.read(DATA / pool_file("h3"), cache=tmp_path).values(world)
    mapped = Pool.read(DATA / pool_file("h3"), cache=tmp_path).values(world)

    assert len(list(tmp_path.glob("*.npy"))) == len(list(tmp_path.iterdir())) == 2
    for role, values in plain.items():
        assert np.array_equal(values, made[role])
        assert np.array_equal(values, mapped[role])


def test_damaged_or_foreign_files_in_the_folder_are_made_again(tmp_path: Path) -> None:
    world = World({"off_target": "off_target"}, key=b"k")
    plain = Pool.load("h3").values(world)["off_target"]
    Pool.read(DATA / pool_file("h3"), cache=tmp_path).values(world)
    (kept,) = tmp_path.iterdir()
    for damage in (b"", b"nonsense", kept.read_bytes()[:50_000]):
        kept.write_bytes(damage)
        again = Pool.read(DATA / pool_file("h3"), cache=tmp_path).values(world)["off_target"]
        assert np.array_equal(plain, again)
        assert kept.stat().st_size > 1_000_000


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    world = World({"off_target": "off_target"}, key=b"k")
    pool = Pool.read(DATA / pool_file("h3"), cache=tmp_path / "file")

    assert np.array_equal(pool.values(world)["off_target"], Pool.load("h3").values(world)["off_target"])


def test_threads_that_ask_at_once_get_one_projection() -> None:
    pool = Pool.read(DATA / pool_file("h3"))
    worlds = [World({"logd": "logd"}, key=bytes([key])) for key in range(6)]
    answers: dict[int, np.ndarray] = {}

    def ask(number: int) -> None:
        answers[number] = pool.values(worlds[number])["logd"]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    again = [pool.values(world)["logd"] for world in worlds]
    assert all(np.array_equal(answers[number], again[number]) for number in range(6))


def test_largest_property_is_ready_within_a_second() -> None:
    """Read, and projected on a pool that is there already; processor time, however busy the machine."""
    largest = max(MODELS, key=lambda name: (DATA / MODELS[name].artefact).stat().st_size)
    pool = Pool.read(DATA / pool_file("h3"))
    pool.seen_by(landscape("off_target"))

    started = time.process_time()
    pool.seen_by(PropertyModel.read(DATA / MODELS[largest].artefact))

    assert time.process_time() - started < 1.0


def test_only_targets_have_pools() -> None:
    with pytest.raises(EnvironmentFault, match="no pool for 'logd'"):
        Pool.load("logd")
    assert set(ANTI) <= set(TARGETS)
