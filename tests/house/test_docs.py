"""The pages say what the code does: settings, arguments, prices, codes and links are compared."""

from __future__ import annotations

import math
import re
from dataclasses import fields
from pathlib import Path

import pytest

import app.errors as server_errors
from app.config import Config
from envs import CATALOGUE
from envs.arguments import KNOWN
from envs.family import properties_of
from molforge import errors
from molforge.assays import ASSAYS, PRIOR_ART
from molforge.chem.gates import GATES, is_makeable
from molforge.chem.properties import alerts
from molforge.chem.structure import parse
from molforge.chem.transformations import TRANSFORMATIONS
from molforge.errors import MolforgeError
from molforge.landscapes.catalogue import DATA, MODELS, Kind
from molforge.landscapes.training.fit import NOISE_FLOOR

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
WITH_FENCES = sorted({*PAGES, *(ROOT / "molforge").rglob("*.md")})
NUMBERS = re.compile(r"-?\d*\.?\d+")


def table(page: str, heading: str) -> dict[str, list[str]]:
    """Return the first table after a heading: what is in backticks in column one -> the other cells."""
    text = (ROOT / "docs" / page).read_text().split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]
    return {row[0].strip("`"): row[1:] for row in rows}


def test_the_settings_are_those_of_the_server() -> None:
    listed = table("server.md", "Settings")

    assert set(listed) == {setting.name for setting in fields(Config)}
    for setting in fields(Config):
        assert listed[setting.name][0].strip("`") == (
            "-" if setting.default is None else str(setting.default)
        )


def test_the_arguments_of_reset_are_those_it_knows() -> None:
    assert set(table("game.md", "Opening a programme")) == set(KNOWN)


def test_prices_and_noise_are_those_of_the_assays() -> None:
    listed = table("game.md", "Readings")
    assert set(listed) == set(ASSAYS)
    for name, (_, price, sd, run_sd, reported) in listed.items():
        assay = ASSAYS[name]
        assert float(price) == assay.price
        if not assay.is_exact:
            assert (float(sd), float(run_sd)) == (assay.sd, assay.run_sd)
            assert [float(number) for number in NUMBERS.findall(reported)] == [assay.low, assay.high]


def test_edits_and_gates_on_the_page_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "chemistry.md").read_text()

    listed = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text.split("## Edits")[1], re.MULTILINE))
    assert listed == {name: edit.description for name, edit in TRANSFORMATIONS.items()}
    gates = re.findall(r"^\| (`.*?) \|", text.split("## Edits")[0], re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(gates))) == set(GATES)


def test_every_assay_of_a_family_is_on_the_page() -> None:
    from importlib import import_module

    listed = set(table("game.md", "Readings"))
    for spec in CATALOGUE.values():
        module, name = spec.entry.split(":")
        family = getattr(import_module(module), name)
        assert {name for template in family.objectives for name in template.assays} <= listed
    assert all(math.isfinite(ASSAYS[name].price) for name in listed)


def test_the_assays_that_no_family_offers_are_named() -> None:
    from importlib import import_module

    asked = {PRIOR_ART}
    for spec in CATALOGUE.values():
        module, name = spec.entry.split(":")
        family = getattr(import_module(module), name)
        for number in range(20):  # some objectives are drawn by the key
            asked.update(properties_of(family.templates(bytes([number]) * 32)))
    text = (ROOT / "docs" / "game.md").read_text()
    told = re.search(r"No family offers\s+(.*?) at present", text, re.DOTALL)

    assert told is not None
    assert set(re.findall(r"`(\w+)`", told[1])) == {n for n, a in ASSAYS.items() if a.reads not in asked}


def test_aminals_and_hydrazines_are_answered_as_the_page_says() -> None:
    text = (ROOT / "docs" / "chemistry.md").read_text().split("### Aminals", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| [^|]* \| (`.*?`) \| (refused|passes, .*?) \|$", text, re.MULTILINE)

    assert len(rows) == 7
    for examples, answer in rows:
        for structure in map(parse, re.findall(r"`(.*?)`", examples)):
            assert is_makeable(structure) == (answer != "refused"), structure.smiles
            if answer != "refused":
                assert list(alerts(structure)) == re.findall(r"`(\w+)`", answer), structure.smiles


def test_the_page_has_every_error_code_that_is_sent() -> None:
    known = {
        error.code
        for module in (errors, server_errors)
        for error in vars(module).values()
        if isinstance(error, type) and issubclass(error, MolforgeError) and not error.__subclasses__()
    }
    inside = {"STRUCTURE_REFUSED", "ENVIRONMENT_LOST"}  # told in an observation; between engine and service

    assert set(table("server.md", "Errors")) == known - inside | {server_errors.INTERNAL, "EPISODE_RUNNING"}


def test_held_out_errors_are_those_of_the_cards() -> None:
    listed = table("landscapes.md", "Models")

    assert set(listed) == set(MODELS)
    for name, (_, training, test, *errors_) in listed.items():
        card = (DATA / f"{name}.md").read_text()
        assert f"| training | {training} compounds" in card
        assert f"on {test} test" in card
        assert f"| {' | '.join(errors_)} |" in card, f"take the figures from {name}.md"


def test_the_cards_at_the_noise_floor_are_named() -> None:
    text = (ROOT / "docs" / "landscapes.md").read_text()
    told = re.search(r"stands at that floor: (.*?)\.", text)
    floor = f"noise\n{NOISE_FLOOR**0.5:.2f} (standard deviation)"

    assert told is not None
    assert set(re.findall(r"`(\w+)`", told[1])) == {
        name for name in MODELS if floor in (DATA / f"{name}.md").read_text()
    }


def test_gates_let_real_chemistry_pass() -> None:
    """Of the best fifth of each target's measured compounds; the page names the low ones."""
    listed = table("gates.md", "Pass rates")
    passing = {name: float(cells[2]) for name, cells in listed.items()}

    assert set(passing) == {name for name, record in MODELS.items() if record.kind is Kind.POTENCY}
    assert sum(share >= 0.8 for share in passing.values()) >= 8
    assert min(passing.values()) >= 0.6


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_and_named_files_exist(page: Path) -> None:
    text = page.read_text()
    prose = re.sub(r"(?s)```.*?```|`[^`\n]*`", "", text)  # a SMILES string in code may look like a link
    links = [target for target in re.findall(r"\]\(([^)#]+)\)", prose) if "://" not in target]
    named = re.findall(r"`((?:app|docs|envs|graders|molforge|redteam|scripts|tests)/[\w./-]*)`", text)

    missing = [target for target in links if not (page.parent / target).exists()]
    missing += [name for name in named if not (ROOT / name).exists()]

    assert not missing


def fence_faults(text: str) -> list[str]:
    """Return the lines that begin with two backticks, and the fence that is never closed."""
    faults, fence = [], ""
    for line in text.splitlines():
        ticks = re.match(r"\s*(`*)", line)[1]  # type: ignore[index]
        if fence:
            fence = "" if line.strip() == fence else fence
        elif len(ticks) >= 3:
            fence = ticks
        if len(ticks) == 2 and "``" not in line.strip()[2:]:
            faults.append(line)
    return [*faults, fence] if fence else faults


@pytest.mark.parametrize("page", WITH_FENCES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_code_fences_have_three_backticks_and_are_closed(page: Path) -> None:
    assert not fence_faults(page.read_text())


@pytest.mark.parametrize("text", ["``bash\nls\n``", "```bash\nls\n``\n", "```\nls\n", "```\n```\n``\n"])
def test_a_broken_fence_is_noticed(text: str) -> None:
    assert fence_faults(text)
    assert not fence_faults("```bash\nls\n```\n``a ` b`` is code\n````\n```\n````\n")
