"""The environments that are served, imported when the first one is made."""

from __future__ import annotations

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
    environment = factory()
    environment.reset({})
    environment.close()
