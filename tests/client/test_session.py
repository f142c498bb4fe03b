"""The client against a real server: typed replies, refusals, sync use, start through a provider."""

from __future__ import annotations

import pytest

pytest.importorskip("openenv", reason="neither openenv-core nor openenv is installed")

from envs import CATALOGUE
from molforge.actions import Action, ActionType
from molforge.client import MolforgeAction, MolforgeEnv, MolforgeObservation, MolforgeState, ServerRefusal

PROGRAMME = {"task_id": "potency", "split": "train", "seed": 0}


async def test_a_programme_is_played_with_typed_actions_and_typed_replies(server_url):
    async with MolforgeEnv(base_url=server_url) as env:
        opening = await env.reset(**PROGRAMME)
        assert isinstance(opening.observation, MolforgeObservation)
        assert opening.observation.brief is not None
        assert opening.observation.compounds[0].id == "M1"
        assert (opening.reward, opening.done) == (0.0, False)

        assay = opening.observation.brief.menu[0].assay
        measured = await env.step(MolforgeAction(action_type="assay", compounds=["M1"], assays=[assay]))
        assert measured.observation.last_action_error is None
        assert [(r.compound, r.assay) for r in measured.observation.readings] == [("M1", assay)]

        ended = await env.step(MolforgeAction(action_type="nominate", compound="M1"))
        assert ended.done
        assert ended.observation.score is not None
        total = sum(result.reward for result in (opening, measured, ended))
        assert total == pytest.approx(ended.observation.score, abs=1e-9)


async def test_state_is_the_typed_notebook(server_url):
    async with MolforgeEnv(base_url=server_url) as env:
        opening = await env.reset(**PROGRAMME, episode_id="episode-7")
        await env.step(MolforgeAction(command="design CCO"))

        state = await env.state()

        assert isinstance(state, MolforgeState)
        assert (state.episode_id, state.step_count) == ("episode-7", 1)
        assert state.session_id == opening.observation.session_id != ""
        assert [c.id for c in state.compounds] == [c.id for c in opening.observation.compounds]
        assert state.last_reply is not None
        assert state.last_reply["observation"]["last_action_error"]


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(MolforgeAction(command="suggest M1"), id="text"),
        pytest.param(Action(action_type=ActionType.SUGGEST, compound="M1"), id="kernel-action"),
        pytest.param({"action_type": "suggest", "compound": "M1"}, id="mapping"),
    ],
)
async def test_text_policies_and_mappings_are_actions_too(server_url, action):
    async with MolforgeEnv(base_url=server_url) as env:
        await env.reset(**PROGRAMME)
        result = await env.step(action)
        assert len(result.observation.suggestions) == 8


async def test_something_that_is_no_action_is_refused_before_it_is_sent(server_url):
    async with MolforgeEnv(base_url=server_url) as env:
        await env.reset(**PROGRAMME)
        with pytest.raises(TypeError, match="MolforgeAction or a mapping"):
            await env.step("suggest M1")


async def test_a_refusal_says_which_field_was_wrong_and_the_session_goes_on(server_url):
    async with MolforgeEnv(base_url=server_url) as env:
        await env.reset(**PROGRAMME)
        with pytest.raises(ServerRefusal, match="smile: Extra inputs") as refused:
            await env.step({"action_type": "design", "smile": ["CCO"]})
        assert refused.value.code == "VALIDATION_ERROR"
        assert refused.value.details["errors"]

        assert (await env.state()).step_count == 0


async def test_an_impossible_argument_of_reset_is_refused_with_what_is_allowed(server_url):
    async with MolforgeEnv(base_url=server_url) as env:
        with pytest.raises(ServerRefusal, match=f"potenzy.*{', '.join(CATALOGUE)}"):
            await env.reset(task_id="potenzy")


async def test_a_step_before_reset_is_refused(server_url):
    async with MolforgeEnv(base_url=server_url) as env:
        with pytest.raises(ServerRefusal, match="reset first"):
            await env.step(MolforgeAction(command="stop"))


async def test_the_catalogue_is_listed(server_url):
    async with MolforgeEnv(base_url=f"{server_url}/") as env:
        assert env.http_url == server_url
        assert [task["task_id"] for task in await env.tasks()] == list(CATALOGUE)


def test_the_sync_client_plays_as_stock_does(server_url):
    with MolforgeEnv(base_url=server_url).sync() as env:
        result = env.reset(**PROGRAMME)
        assert isinstance(result.observation, MolforgeObservation)
        result = env.step(MolforgeAction(action_type="stop", reason="test"))
        assert result.done
        assert env.state().phase == "stopped"
        assert env.tasks()


class RunningServer:
    """A provider whose container is a server that runs already."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.images: list[str] = []
        self.stopped = 0

    def start_container(self, image: str, port: int | None = None, env_vars=None, **kwargs) -> str:
        self.images.append(image)
        return self.url

    def wait_for_ready(self, base_url: str, timeout_s: float = 30.0) -> None:
        assert base_url == self.url

    def stop_container(self) -> None:
        self.stopped += 1


async def test_from_docker_image_starts_connects_and_stops(server_url):
    provider = RunningServer(server_url)

    env = await MolforgeEnv.from_docker_image("molforge:latest", provider=provider)
    try:
        result = await env.reset(**PROGRAMME)
    finally:
        await env.close()

    assert isinstance(env, MolforgeEnv)
    assert isinstance(result.observation, MolforgeObservation)
    assert (provider.images, provider.stopped) == (["molforge:latest"], 1)


async def test_from_env_starts_the_image_of_a_space(server_url):
    provider = RunningServer(server_url)

    env = await MolforgeEnv.from_env("somebody/molforge", provider=provider)
    await env.close()

    assert provider.images == ["registry.hf.space/somebody-molforge:latest"]
