from __future__ import annotations

import random

import numpy as np
import pytest
from rdkit import Chem

from molforge.chem.structure import Structure, parse
from molforge.errors import EnvironmentFault
from molforge.landscapes import curves, minhash
from molforge.landscapes.catalogue import MODELS, Kind
from molforge.landscapes.curves import GRAIN
from molforge.landscapes.model import PropertyModel, Sighting, landscape
from molforge.landscapes.world import World

SAME_COMPOUND = [
    pytest.param("NC(=N)c1ccccc1-c1ccncc1", "[NH3+]C(=N)c1ccccc1-c1ccncc1", id="protonated"),
    pytest.param("OC(=O)c1cccc(CCN2CCCC2)c1", "[O-]C(=O)c1cccc(CC[NH+]2CCCC2)c1", id="zwitterion"),
    pytest.param("Cc1c[nH]cn1", "Cc1cnc[nH]1", id="imidazole-tautomer"),
    pytest.param("Oc1ccccn1", "O=c1cccc[nH]1", id="lactim"),
    pytest.param("CNC(=N)NC", "CN=C(N)NC", id="guanidine"),
    pytest.param("C[C@H](N)c1ccccc1", "N[C@@H](C)c1ccccc1", id="atom-order"),
]


@pytest.mark.parametrize(("one", "other"), SAME_COMPOUND)
def test_value_does_not_depend_on_how_the_compound_is_drawn(world: World, one: str, other: str) -> None:
    assert world.values(parse(one)) == world.values(parse(other))


def test_value_does_not_depend_on_atom_order(world: World, structures: list[Structure]) -> None:
    rng = random.Random(1)

    for structure in structures:
        order = list(range(structure.mol.GetNumAtoms()))
        rng.shuffle(order)
        shuffled = Chem.MolToSmiles(Chem.RenumberAtoms(structure.mol, order), canonical=False)

        assert world.values(parse(shuffled)) == world.values(structure)


def test_enantiomers_are_different_compounds(world: World) -> None:
    left, right = parse("C[C@H](N)Cc1ccccc1-c1ccncc1"), parse("C[C@@H](N)Cc1ccccc1-c1ccncc1")

    assert world.values(left) != world.values(right)


def test_value_does_not_depend_on_what_was_asked_before(structures: list[Structure]) -> None:
    roles = {"potency": "h3", "off_target": "off_target"}
    forwards, backwards = World(roles, key=b"k"), World(roles, key=b"k")

    there = [forwards.values(each) for each in structures]
    back = [backwards.values(each) for each in reversed(structures)]

    assert there == back[::-1]


def test_key_role_and_landscape_all_decide_the_draw(structures: list[Structure]) -> None:
    def values(key: bytes, role: str, name: str) -> list[float]:
        world = World({role: name}, key=key)
        return [world.values(each)[role] for each in structures]

    base = values(b"k", "potency", "fxa")

    assert values(b"k", "potency", "fxa") == base
    assert values(b"l", "potency", "fxa") != base
    assert values(b"k", "late_potency", "fxa") != base


def test_key_and_role_cannot_be_traded_against_each_other() -> None:
    one = minhash.weights(b"ab", "c", "d", 512)

    assert not np.array_equal(one, minhash.weights(b"a", "bc", "d", 512))


def test_one_role_does_not_change_another(structures: list[Structure], world: World) -> None:
    alone = World({"logd": "logd"}, key=b"a key")

    for structure in structures:
        assert alone.values(structure)["logd"] == world.values(structure)["logd"]


def test_structure_unlike_all_ligands_is_inactive_in_every_world() -> None:
    chain = parse("CCCCCCCCCCCCCC")

    for key in range(20):
        drawn = World({"potency": "fxa"}, key=bytes([key])).values(chain)["potency"]
        assert drawn == pytest.approx(4.5, abs=0.01)


def test_values_stay_within_the_squash_of_the_mean_model(structures: list[Structure]) -> None:
    model = PropertyModel.load("logd")
    means = [model.mean_value(Sighting(each.tokens)) / 1000 for each in structures]

    for key in range(30):
        world = World({"logd": "logd"}, key=bytes([key]))
        drawn = [world.values(each)["logd"] for each in structures]
        assert max(abs(a - b) for a, b in zip(drawn, means, strict=True)) <= 1.001


def test_spread_over_worlds_is_that_of_the_prior(structures: list[Structure]) -> None:
    worlds = [World({"off": "off_target"}, key=bytes([i, j])) for i in range(20) for j in range(20)]

    drawn = np.array([[world.values(each)["off"] for world in worlds] for each in structures])

    assert abs(drawn.mean() - 5.5) < 0.05
    assert 0.9 < drawn.std(1).mean() < 1.1


def test_worlds_agree_on_a_measured_ligand_and_differ_far_from_it() -> None:
    model = PropertyModel.load("fxa")
    far = parse("CC(C)(C)c1ccc2occ(CC(=O)Nc3ccccc3F)c2c1")
    near = parse("COc1ccc(-n2nc(C(N)=O)c3c2C(=O)N(c2ccc(N4CCCCC4=O)cc2)CC3)cc1")
    sd = {}
    for name, structure in {"far": far, "near": near}.items():
        sighting = Sighting(structure.tokens)
        drawn = []
        for key in range(300):
            weights = minhash.weights(key.to_bytes(2, "big"), "potency", "fxa", model.columns)
            drawn.append(model.deviation(sighting, weights, model.draw(weights)) / GRAIN)
        sd[name] = float(np.std(drawn))

    prior = model.card["amplitude"] ** 0.5
    assert 0.5 * prior < sd["far"] < 1.1 * prior
    assert sd["near"] < 0.3 * prior


def test_nearest_is_one_for_a_measured_ligand_and_zero_without_data(world: World) -> None:
    apixaban = parse("COc1ccc(-n2nc(C(N)=O)c3c2C(=O)N(c2ccc(N4CCCCC4=O)cc2)CC3)cc1")

    assert world.nearest(apixaban, "potency") == 1.0
    assert world.nearest(apixaban, "off_target") == 0.0
    assert 0 < world.nearest(apixaban, "solubility") < 1


def test_integer_row_is_the_rounded_similarity(structures: list[Structure]) -> None:
    index = PropertyModel.load("fxa").index

    for structure in structures:
        exact = index.similarities(structure.tokens)
        assert np.abs(index.row(structure.tokens) / 65535 - exact).max() < 1e-5


def test_signature_agreement_is_the_similarity(structures: list[Structure]) -> None:
    signatures = np.stack([minhash.minima(each.tokens) for each in structures])
    agreement = (signatures[:, None] == signatures[None]).mean(-1)
    exact = np.array(
        [
            [
                len(np.intersect1d(a.tokens, b.tokens)) / len(np.union1d(a.tokens, b.tokens))
                for a in structures
            ]
            for b in structures
        ]
    )

    assert np.abs(agreement - exact).max() < 0.12
    assert abs((agreement - exact).mean()) < 0.02


def test_weights_are_standard_normal_integers_of_scale_32() -> None:
    drawn = np.concatenate([minhash.weights(bytes([i]), "r", "m", 512) for i in range(200)])

    assert np.array_equal(drawn, np.rint(drawn))
    assert abs(drawn).max() < minhash.WEIGHT_LIMIT
    assert abs(drawn.mean()) < 0.5
    assert abs(drawn.std() / minhash.WEIGHT_SCALE - 1) < 0.01


def test_curves_are_tanh_and_sigmoid() -> None:
    shapes = curves.load()
    grains = np.arange(-9 * GRAIN, 9 * GRAIN, 7919)
    near = np.arange(65536)

    bent = shapes.squash_all(grains, 2) / GRAIN
    weight = shapes.applicability.over(near) / GRAIN

    assert np.abs(bent - 2 * np.tanh(grains / GRAIN / 2)).max() < 5e-6
    assert np.abs(weight - 1 / (1 + np.exp(-(near / 65535 - 0.45) / 0.03))).max() < 5e-6
    assert [shapes.squash(int(x), 2) for x in grains[::97]] == shapes.squash_all(grains[::97], 2).tolist()
    assert [shapes.applicability.at(int(x)) for x in near[::97]] == (weight * GRAIN)[::97].tolist()


def test_every_model_of_the_catalogue_loads_and_says_what_it_is() -> None:
    for name, record in MODELS.items():
        model = PropertyModel.load(name)

        assert (model.name, model.kind, model.unit) == (name, record.kind, record.unit)
        assert model is PropertyModel.load(name)
        assert model.columns == (256 if record.kind is Kind.ANTITARGET else 512)


def test_unknown_landscape_is_named_with_a_suggestion() -> None:
    with pytest.raises(EnvironmentFault, match="did you mean 'thrombin'"):
        landscape("trombin")
