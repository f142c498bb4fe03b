"""AutoEnv and AutoAction find the classes of the installed package, under each spelling that they take."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

import pytest

pytest.importorskip("openenv", reason="neither openenv-core nor openenv is installed")
try:
    distribution("openenv-molforge")
except PackageNotFoundError:
    pytest.skip("openenv-molforge is not installed here, only on the path", allow_module_level=True)

from molforge.client import MolforgeAction, MolforgeEnv

pytestmark = pytest.mark.filterwarnings("ignore")  # of what the full import of openenv brings along


@pytest.fixture
def auto():
    """Return (AutoEnv, AutoAction) that know of nothing from an earlier run."""
    from openenv.auto import AutoAction, AutoEnv
    from openenv.auto._discovery import get_discovery, reset_discovery

    get_discovery().clear_cache()
    reset_discovery()
    yield AutoEnv, AutoAction
    get_discovery().clear_cache()


@pytest.mark.parametrize("name", ["molforge", "molforge-env", "molforge_env"])
def test_a_programme_is_played_through_what_is_found(auto, name, server_url):
    auto_env, auto_action = auto

    env = auto_env.from_env(name, base_url=server_url)
    action = auto_action.from_env(name)

    assert type(env) is MolforgeEnv
    assert action is MolforgeAction
    with env.sync() as playing:
        playing.reset(task_id="potency", seed=0)
        assert playing.step(action(action_type="stop", reason="found")).done


def test_the_catalogue_of_openenv_tells_what_it_is(auto):
    auto_env, _ = auto

    told = auto_env.get_env_info("molforge")

    assert (told["env_key"], told["package"]) == ("molforge", "openenv-molforge")
    assert (told["env_class"], told["action_class"]) == ("MolforgeEnv", "MolforgeAction")
    assert told["observation_class"] == "MolforgeObservation"


def test_without_installation_it_is_the_generic_client(auto, server_url):
    auto_env, _ = auto

    env = auto_env.from_env("somebody/molforge", base_url=server_url, skip_install=True)

    with env.sync() as playing:
        assert playing.reset(seed=0).observation["task_id"] == "potency"
        assert playing.step({"command": "stop"}).done
