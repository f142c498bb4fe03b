"""Programmes to test with: a few of every family and split."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from envs.arguments import parse_arguments
from envs.assembly import assemble
from molforge.episode import Episode
from molforge.programme import Programme
from molforge.seeding import DEFAULT_SECRET

Open = Callable[..., Programme]


@pytest.fixture(scope="session")
def open_programme() -> Open:
    def opened(task_id: str, seed: int, *, secret: bytes = DEFAULT_SECRET, **arguments: Any) -> Programme:
        request = parse_arguments({"task_id": task_id, "seed": seed, **arguments})
        family = import_module(f"envs.{task_id}.family").FAMILY
        return assemble(family, request, secret=secret, seed=seed)

    return opened


@pytest.fixture(scope="session")
def play() -> Callable[[Programme], Episode]:
    def playing(programme: Programme) -> Episode:
        grade = import_module(f"graders.{programme.family}").grade
        return Episode(programme, grade, session_id="s")

    return playing
