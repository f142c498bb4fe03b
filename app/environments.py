"""The environments that are served, imported when the first one is made."""

from __future__ import annotations

from collections.abc import Iterator

from app.hosting import Factory
from molforge.contract import Environment


def environment_factory(secret: bytes | None) -> Factory:
    """Return a factory of environments whose worlds are keyed by ``secret`` (None: the public default)."""

    def molforge_environment() -> Environment:
        from envs.environment import MolforgeEnvironment

        return MolforgeEnvironment() if secret is None else MolforgeEnvironment(secret)

    return molforge_environment


def warm_up(factory: Factory) -> None:
    """Load what the default programme needs, so that the first visitor does not wait for it."""
    next(warm_ups(factory))


def warm_ups(factory: Factory) -> Iterator[None]:
    """Load what the default programme needs, then piece by piece what any programme needs."""
    from envs import CATALOGUE

    environment = factory()
    environment.reset({})
    yield
    for spec in CATALOGUE.values():
        for target in spec.targets:
            environment.reset({"task_id": spec.task_id, "targets": [target]})
            yield
    environment.close()
