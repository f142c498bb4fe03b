"""The whole training on a folder of a few dozen rows a table."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from molforge.chem.reference import MEASURED
from molforge.chem.structure import framework, parse
from molforge.errors import EnvironmentFault
from molforge.landscapes import curves, minhash
from molforge.landscapes.catalogue import MODELS, TARGETS
from molforge.landscapes.curves import GRAIN
from molforge.landscapes.index import TokenIndex
from molforge.landscapes.model import PropertyModel, Sighting
from molforge.landscapes.pool import Pool
from molforge.landscapes.training.build import build, spearman
from molforge.landscapes.training.calibrate import widening
from molforge.landscapes.training.fit import Evidence, Fit, fit, linear_counts, predictive_variance
from molforge.landscapes.training.pools import MOST_ALIKE, Effort
from molforge.landscapes.training.quantise import Columns, check_bounds, shape_errors
from molforge.landscapes.training.run import LANDSCAPES, PARTS, Order, train
from molforge.landscapes.training.sources import SOURCES, Measurements, measurements
from molforge.landscapes.world import World

SMALL = Effort(searches=1, evaluations=60, designs=15)
FEW = ("reference", "thrombin", "h3", "logd", "solubility", "pool_thrombin", "pool_h3")


@pytest.fixture(scope="module")
def trained(csv_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    train(Order(csv_dir=csv_dir, out_dir=out, effort=SMALL, only=FEW), progress=lambda line: None)
    return out / LANDSCAPES


@pytest.fixture(scope="module")
def table(csv_dir: Path) -> Measurements:
    return measurements(csv_dir, SOURCES["thrombin"])


@pytest.mark.slow
def test_training_makes_every_file_and_card(csv_dir: Path, trained: Path, tmp_path: Path) -> None:
    """Two processes: what they make is what one makes."""
    lines: list[str] = []
    order = Order(csv_dir=csv_dir, out_dir=tmp_path, effort=SMALL)

    train(order, progress=lines.append, processes=2)

    names = {path.name for path in order.folder.iterdir()}
    models = {f"{name}.{kind}" for name in MODELS for kind in ("mfl", "md")}
    pools = {f"pool_{name}.{kind}" for name in TARGETS for kind in ("mfl", "md")}
    assert names == models | pools | {"curves.mfl", "README.md"}
    assert all((order.folder / path.name).read_bytes() == path.read_bytes() for path in trained.iterdir())
    assert sum(f"of {len(PARTS)} parts done" in line for line in lines) == len(PARTS)


def test_trained_files_make_worlds(trained: Path, table: Measurements) -> None:
    model = PropertyModel.read(trained / "thrombin.mfl")
    world = World({"potency": "thrombin"}, key=b"k", find=lambda name: model)

    assert all(0 < world.values(each)["potency"] < 15 for each in table.structures[:20])


def test_trained_pool_holds_new_and_distinct_designs(trained: Path, table: Measurements) -> None:
    pool = Pool.read(trained / "pool_thrombin.mfl")
    measured = {structure.identity for structure in table.structures}
    signatures = np.stack([minhash.minima(tokens) for tokens in pool.tokens])
    alike = (signatures[:, None] == signatures[None]).mean(-1) - np.eye(len(pool))

    assert 5 <= len(pool) <= SMALL.designs
    assert not measured & {parse(smiles).identity for smiles in pool.smiles}
    assert alike.max() <= MOST_ALIKE


def test_same_tables_make_the_same_bytes(csv_dir: Path, trained: Path, tmp_path: Path) -> None:
    order = Order(
        csv_dir=csv_dir, out_dir=tmp_path, effort=SMALL, only=("h3", "logd", "solubility", "pool_h3")
    )
    train(order, progress=lambda line: None)

    folder = tmp_path / LANDSCAPES
    assert (folder / "pool_h3.mfl").exists()
    for again in folder.glob("*h3.*"):
        assert again.read_bytes() == (trained / again.name).read_bytes()


def test_interrupted_training_keeps_what_is_whole(csv_dir: Path, tmp_path: Path) -> None:
    names = ("d2", "efflux", "ppb")
    order = Order(csv_dir=csv_dir, out_dir=tmp_path, only=names, resume=True)
    train(order, progress=lambda line: None)
    (order.folder / "efflux.md").unlink()
    (order.folder / "ppb.mfl").write_bytes(b"half")

    assert order.parts() == ["efflux", "ppb"]
    assert replace(order, resume=False).parts() == list(names)


def test_unknown_part_is_named_with_a_suggestion(csv_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="did you mean 'pool_h3'"):
        train(Order(csv_dir=csv_dir, out_dir=tmp_path, only=("pool_h2",)), progress=lambda line: None)


def test_command_makes_a_part_and_refuses_an_unknown_one(
    csv_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train-landscapes", str(csv_dir), "--out", str(tmp_path), "--processes", "1", "--only"]

    assert main([*command, "ppb"]) == 0
    assert (tmp_path / LANDSCAPES / "ppb.mfl").exists()
    assert "1 of 1 parts done" in capsys.readouterr().err
    assert main([*command, "ppm"]) == 2
    assert "did you mean 'ppb'" in capsys.readouterr().err


@pytest.mark.parametrize("target", TARGETS)
def test_known_chemistry_includes_that_of_every_target(target: str) -> None:
    for file in SOURCES[target].files:
        assert any(fnmatch(file, pattern) for pattern in MEASURED)


def test_registry_export_is_read_as_it_comes(csv_dir: Path, tmp_path: Path) -> None:
    source = SOURCES["mpro"]
    path = tmp_path / source.files[0]
    path.parent.mkdir()
    rows = ["CCOc1ccccc1CN.Cl,10", "CCOc1ccccc1CCN |c:1|,0.1", "CCOc1ccccc1CCCN,> 99.5"]
    path.write_text("\n".join([f"{source.smiles},{source.value}", *rows]))

    data = measurements(tmp_path, source)

    assert [each.smiles for each in data.structures] == ["CCOc1ccccc1CN", "CCOc1ccccc1CCN"]
    assert data.values == pytest.approx([5.0, 7.0])
    assert data.refused == 1


@pytest.mark.parametrize("tail", [1.0, 3.0])
def test_noise_is_widened_for_heavy_tails_only(tail: float) -> None:
    """One measurement in five is ``tail`` times as far off as the others."""
    rng = np.random.default_rng(3)
    molecules = [np.flatnonzero(rng.random(60) < 0.4).astype(np.uint64) << np.uint64(8) for _ in range(400)]
    noise = rng.normal(scale=0.3, size=400)
    fitted = fit(Evidence(molecules=molecules, values=np.zeros(400) + noise))
    values = np.where(rng.random(400) < 0.2, tail, 1.0) * noise

    factor = widening(fitted, values, rng.integers(0, 5, 400))

    assert 1.0 <= factor <= 1.1 if tail == 1.0 else 1.2 <= factor <= 1.8


def test_model_reproduces_its_training_values_and_its_own_fit(csv_dir: Path, table: Measurements) -> None:
    fitted = fit(Evidence(molecules=[each.tokens for each in table.structures], values=table.values))

    predicted = fitted.mean + fitted.amplitude * fitted.similarities @ fitted.alpha

    assert spearman(predicted, table.values) > 0.9
    assert np.sqrt(((predicted - table.values) ** 2).mean()) < 2 * fitted.noise**0.5


def test_variance_grows_away_from_the_data(table: Measurements) -> None:
    fitted = fit(Evidence(molecules=[each.tokens for each in table.structures], values=table.values))

    near, far = predictive_variance(fitted, [table.structures[0].tokens, parse("CCCCCCCCCCCC").tokens])

    assert near < far
    assert far == pytest.approx(fitted.amplitude + fitted.noise, rel=0.05)


def test_linear_term_carries_a_trend_beyond_the_data() -> None:
    rng = np.random.default_rng(0)

    def molecule(copies: int) -> np.ndarray:
        common = (7 << 8) + np.arange(copies)
        return np.unique(np.concatenate((common, rng.integers(9 << 8, 2**40, 20)))).astype(np.uint64)

    copies = rng.integers(1, 30, 200)
    molecules, values = [molecule(int(n)) for n in copies], copies * 0.2
    beyond = molecule(60)

    straight, plain = (fit(Evidence(molecules=molecules, values=values, linear=on)) for on in (True, False))

    assert len(plain.features) == 0
    assert _predicted(straight, beyond) > 1.2 * values.max()
    assert _predicted(plain, beyond) < values.max()


def _predicted(fitted: Fit, tokens: np.ndarray) -> float:
    similarities = TokenIndex(fitted.table).similarities(tokens)
    linear = linear_counts([tokens], fitted.features)[0] @ fitted.slopes
    return float(fitted.mean + linear + fitted.amplitude * similarities @ fitted.alpha)


def test_worlds_of_a_built_model_spread_like_its_posterior(table: Measurements, tmp_path: Path) -> None:
    curves.make(tmp_path)
    train = [each.tokens for each, side in zip(table.structures, table.is_train, strict=True) if side]
    test = [each.tokens for each, side in zip(table.structures, table.is_train, strict=True) if not side]
    fitted = fit(Evidence(molecules=train, values=table.values[table.is_train]))
    analytic = np.sqrt(predictive_variance(fitted, test) - fitted.noise)

    model, _ = build("hlm", table, [], tmp_path)
    sightings = [Sighting(tokens) for tokens in test]
    drawn = []
    for key in range(300):
        weights = minhash.weights(key.to_bytes(2, "big"), "r", "m", model.columns)
        vector = model.draw(weights)
        drawn.append([model.deviation(each, weights, vector) / GRAIN for each in sightings])

    ratio = np.std(drawn, 0) / analytic
    assert ratio.mean() == pytest.approx(1.0, abs=0.06)
    assert np.abs(np.mean(drawn, 0) / analytic).mean() < 0.1
    middle = [model.centre(each) / GRAIN for each in sightings]
    assert middle == pytest.approx([_predicted(fitted, tokens) for tokens in test], abs=1e-4)


def test_fed_back_rounding_errors_cancel_in_predictions(table: Measurements) -> None:
    similarities = fit(
        Evidence(molecules=[each.tokens for each in table.structures], values=table.values)
    ).similarities
    exact = np.random.default_rng(0).normal(size=(len(similarities), 64))
    steps = np.full(len(exact), 2.0**-4)
    hessian = similarities @ similarities / len(similarities) + 1e-3 * np.eye(len(similarities))

    shaped = shape_errors(exact, steps, hessian) * steps[:, None] - exact
    naive = np.rint(exact / steps[:, None]) * steps[:, None] - exact

    assert (similarities @ shaped).std() < 0.5 * (similarities @ naive).std()


def test_sums_beyond_exact_integers_are_refused() -> None:
    bank = np.full((3000, 512), 127, np.int8)

    with pytest.raises(EnvironmentFault, match="exact integers of float64"):
        check_bounds(Columns(bank, np.full(3000, 20, np.int8)), np.zeros(3000, np.int64), 1)
    wide = np.full((3, 1024), 127, np.int8)
    with pytest.raises(EnvironmentFault, match="float32"):
        check_bounds(Columns(wide, np.zeros(3, np.int8)), np.zeros(3, np.int64), 1)


def test_rows_that_are_no_compound_are_counted(csv_dir: Path, tmp_path: Path) -> None:
    source = SOURCES["h3"]
    path = tmp_path / source.files[0]
    path.parent.mkdir()
    header, *rows = (csv_dir / source.files[0]).read_text().splitlines()
    broken = [f"{'C' * 60},5.0,train", "C1CC,5.0,train"]
    path.write_text("\n".join([header, *rows, *broken]))

    data = measurements(tmp_path, source)

    assert data.refused == 2
    assert len(data.structures) == len(rows)


def test_framework_split_keeps_a_framework_on_one_side(csv_dir: Path) -> None:
    data = measurements(csv_dir, SOURCES["logd"])
    sides: dict[str, bool] = {}

    for structure, side in zip(data.structures, data.is_train.tolist(), strict=True):
        assert sides.setdefault(framework(structure), side) == side


def test_decoys_are_inactive_in_the_built_model(csv_dir: Path, table: Measurements, tmp_path: Path) -> None:
    curves.make(tmp_path)
    stranger = parse("CC1(C)CCC(OC2CCCCC2)CC1")

    model, _ = build("thrombin", table, [stranger.tokens], tmp_path)

    assert model.mean_value(Sighting(stranger.tokens)) / 1000 == pytest.approx(4.5, abs=0.05)


def test_rank_correlation_shares_ranks_among_ties() -> None:
    assert spearman(np.array([1, 2, 2, 3]), np.array([10, 20, 20, 30])) == pytest.approx(1.0)
    assert spearman(np.array([1, 2, 3]), np.array([3, 2, 1])) == pytest.approx(-1.0)
