"""Checks of a server at work."""

from __future__ import annotations

import asyncio
import json
import math
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from envs import CATALOGUE
from envs.environment import MolforgeEnvironment
from evidence.certificate.bench import EPISODES, Bench, Episode, Outcome, record
from redteam.servers import get, post, serving

TOLERANCE = 1e-9
_WATCHED = """
import atexit, json, sys
seen = []
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        seen.append([event, str(arguments[1:2])])
    elif event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        seen.append(["write", str(arguments[0])])
    elif event in ("subprocess.Popen", "os.system", "os.exec", "os.remove", "os.rename"):
        seen.append([event, str(arguments[0])])
sys.addaudithook(watch)
{prelude}
from envs import CATALOGUE
from envs.environment import MolforgeEnvironment
from molforge.policies import make
for task in CATALOGUE:
    environment, policy = MolforgeEnvironment(), make("random")
    step = environment.reset({{"task_id": task, "seed": 1, "max_steps": 6}})
    policy.begin(step.observation)
    while not step.done:
        step = environment.step(policy.act(step.observation))
print(json.dumps(seen))
"""


def startup(bench: Bench) -> Outcome:
    """A server starts and answers health, readiness and metadata."""
    began = time.monotonic()
    url = bench.server.url
    seconds = time.monotonic() - began
    answers = {page: get(url + page).status for page in ("/health", "/metadata", "/schema", "/tasks")}
    wrong = [page for page, status in answers.items() if status != 200]
    return Outcome.of(
        not wrong, f"healthy after {seconds:.1f} s; not answering: {', '.join(wrong) or 'none'}"
    )


def reward_well_formed(bench: Bench) -> Outcome:
    """Every reward is a finite number inside the declared range."""
    low, high = bench.manifest["validation"]["reward"]["range"]
    rewards = [reply["reward"] for episode in bench.episodes for reply in episode.replies]
    good = [isinstance(r, int | float) and math.isfinite(r) and low <= r <= high for r in rewards]
    return Outcome.of(
        all(good),
        f"{sum(good)} of {len(good)} in [{low:g}, {high:g}]: {min(rewards):.3f} to {max(rewards):.3f}",
        episodes=len(bench.episodes),
    )


def rubric_introspectable(bench: Bench) -> Outcome:
    """The score comes with named parts in [0, 1], and the manifest names the function that made it."""
    parts = [episode.replies[-1]["observation"]["score_parts"] for episode in bench.episodes]
    good = [bool(p) and all(0.0 <= value <= 1.0 for value in p.values()) for p in parts]
    named = all(task.get("grader") for task in bench.manifest["tasks"])
    names = sorted({name for p in parts for name in p or {}})
    return Outcome.of(all(good) and named, f"parts: {', '.join(names)}", episodes=len(parts))


def observation_schema(bench: Bench) -> Outcome:
    """Every observation and state fits the schema that the server publishes."""
    import jsonschema

    schemas = get(f"{bench.server.url}/schema").json
    observation = jsonschema.Draft202012Validator(schemas["observation"])
    state = jsonschema.Draft202012Validator(schemas["state"])
    wrong = checked = 0
    for episode in bench.episodes:
        for reply, told in zip(episode.replies, episode.states, strict=True):
            wrong += not observation.is_valid(reply["observation"])
            wrong += not state.is_valid(told)
            checked += 2
    return Outcome.of(
        wrong == 0, f"{checked - wrong} of {checked} messages fit", episodes=len(bench.episodes)
    )


def state_contract(bench: Bench) -> Outcome:
    """State repeats the episode id of reset and counts every step."""
    wrong = 0
    for episode in bench.episodes:
        for number, state in enumerate(episode.states):
            wrong += state["episode_id"] != f"certificate-{episode.task}-{episode.seed}"
            wrong += state["step_count"] != number
    states = sum(len(episode.states) for episode in bench.episodes)
    return Outcome.of(wrong == 0, f"{states} states, {wrong} wrong", episodes=len(bench.episodes))


def trajectory_record(bench: Bench) -> Outcome:
    """The journal exports each episode whole: what reset was given, every action, reward and end."""
    episodes = bench.episodes
    exported = _molforge("export", str(bench.folder / "journal.db"))
    if exported.returncode:
        return Outcome.of(False, f"the export failed: {exported.stderr.strip()[-200:]}")
    kept = [json.loads(line) for line in exported.stdout.splitlines()]
    records = [
        [line["reset"], *((s["action"], s["reward"], s["done"]) for s in line["steps"])] for line in kept
    ]
    right = sum(_told(episode) in records for episode in episodes)
    return Outcome.of(
        right == len(episodes), f"{right} of {len(episodes)} episodes exported whole", episodes=right
    )


def _told(episode: Episode) -> list[Any]:
    """Return what a record of the episode says, from what went over the wire."""
    replies = zip(episode.actions, episode.replies[1:], strict=True)
    return [episode.asked, *((action, r["reward"], r["done"]) for action, r in replies)]


def reward_attribution(bench: Bench) -> Outcome:
    """Rewards sum to the score; in sparse mode everything comes with the last step."""
    sparse = bench.play([(task, 0) for task in bench.tasks], reward_mode="sparse")
    worst = max(_gap(episode) for episode in [*bench.episodes, *sparse])
    early = max((abs(r["reward"]) for e in sparse for r in e.replies[:-1]), default=0.0)
    count = len(bench.episodes) + len(sparse)
    figure = f"largest |sum of rewards - score| {worst:.1e}; sparse before the end {early:g}"
    return Outcome.of(worst < TOLERANCE and early == 0.0, figure, episodes=count)


def _gap(episode: Episode) -> float:
    score = episode.replies[-1]["observation"]["score"]
    return abs(math.fsum(reply["reward"] for reply in episode.replies) - float(score))


def tool_declaration_accuracy(bench: Bench) -> Outcome:
    """The MCP tools are those of the docs, with schemas; each can be called, none is reserved."""
    url = bench.server.url
    opened = _rpc(url, "openenv/session/create", {})
    session = {"session_id": opened["result"]["session_id"]}
    tools = _rpc(url, "tools/list", session)["result"]["tools"]
    arguments: dict[str, dict[str, Any]] = {
        "brief": {"task_id": "potency", "seed": 1},
        "suggest": {"compound": "M1"},
        "design": {"smiles": ["CC(=O)Nc1ccc(OCCN2CCCCC2)cc1"]},
        "assay": {"compounds": ["M1"], "assays": ["logd"]},
        "notebook": {},
        "nominate": {"compound": "M1"},
        "close_programme": {},
    }
    order = sorted(tools, key=lambda t: list(arguments).index(t["name"]) if t["name"] in arguments else 99)
    answered = []
    for tool in order:
        if tool["name"] == "close_programme":
            _rpc(url, "tools/call", {**session, "name": "brief", "arguments": arguments["brief"]})
        reply = _rpc(
            url, "tools/call", {**session, "name": tool["name"], "arguments": arguments.get(tool["name"], {})}
        )
        if "error" not in reply and not reply["result"].get("isError"):
            answered.append(tool["name"])
    reserved = {tool["name"] for tool in tools} & {"reset", "step", "state", "close"}
    described = all(tool.get("inputSchema", {}).get("type") == "object" for tool in tools)
    other = {tool["name"] for tool in tools} ^ arguments.keys()
    good = len(answered) == len(tools) and not other and not reserved and described
    figure = f"{len(answered)} of {len(arguments)} tools answered: {', '.join(answered)}"
    return Outcome.of(good, figure + (f"; missing or unknown: {', '.join(sorted(other))}" if other else ""))


def _rpc(url: str, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = post(
        f"{url}/mcp", {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
    ).json
    return found


def task_declaration_accuracy(bench: Bench) -> Outcome:
    """Manifest, server and catalogue list the same tasks, and each can be opened."""
    listed = [task["id"] for task in bench.manifest["tasks"]]
    answer = get(f"{bench.server.url}/tasks").json
    served = [task["task_id"] for task in (answer["tasks"] if isinstance(answer, dict) else answer)]
    opened = sorted({e.task for e in bench.episodes if e.replies[0]["observation"]["task_id"] == e.task})
    good = listed == served == list(CATALOGUE) and set(opened) == set(bench.tasks)
    return Outcome.of(
        good, f"{len(listed)} declared, {len(served)} served, {len(opened)} opened", episodes=len(opened)
    )


def seed_control(bench: Bench) -> Outcome:
    """A seed decides the opening; another seed or split opens another programme."""
    again = bench.play([(task, 0) for task in bench.tasks])
    first = [episode for episode in bench.episodes if episode.seed == 0]
    same = sum(_opening(a) == _opening(b) for a, b in zip(first, again, strict=True))
    openings = {_opening(episode) for episode in bench.episodes}
    elsewhere = {
        _opening(episode) for episode in bench.play([(task, 0) for task in bench.tasks], split="test")
    }
    wanted = len(bench.tasks)
    different = len(openings) == EPISODES * wanted and not openings & elsewhere
    figure = f"{same} of {wanted} openings alike; {len(openings | elsewhere)} of {3 * wanted} others distinct"
    return Outcome.of(same == wanted and different, figure, episodes=len(bench.episodes) + 2 * wanted)


def _opening(episode: Episode) -> str:
    observation = dict(episode.replies[0]["observation"])
    kept = {name: observation[name] for name in ("brief", "compounds", "readings")}
    return json.dumps(kept, sort_keys=True)


def episode_determinism(bench: Bench) -> Outcome:
    """The same seed and actions give the same bytes on another server process, with another hash seed."""
    chosen = [(task, 1) for task in bench.tasks]
    first = [episode for episode in bench.episodes if episode.seed == 1]
    environment = {"PYTHONHASHSEED": "4711", "OPENBLAS_NUM_THREADS": "2"}
    with serving("--workers", "1", prelude=bench.prelude, environment=environment) as other:

        async def play() -> list[Episode]:
            return [await record(other.url, task, seed) for task, seed in chosen]

        second = asyncio.run(play())
    same = sum(_plain(a) == _plain(b) for a, b in zip(first, second, strict=True))
    return Outcome.of(
        same == len(first), f"{same} of {len(first)} episodes alike to the byte", episodes=2 * len(first)
    )


def _plain(episode: Episode) -> str:
    """Return the whole conversation without the session's id, which is new each time."""
    text = json.dumps([episode.actions, episode.replies, episode.states])
    return text.replace(episode.replies[0]["observation"]["session_id"], "")


def network_policy(bench: Bench) -> Outcome:
    """Episodes of every family, watched by an audit hook, connect to nothing and look up no name."""
    seen = [entry for entry in _watched(bench) if entry[0].startswith("socket.")]
    return Outcome.of(not seen, f"{len(seen)} connections or look-ups", episodes=len(CATALOGUE))


def host_containment(bench: Bench) -> Outcome:
    """They start no process, and write nothing outside their cache."""
    allowed = (str(Path.home() / ".cache"), "/tmp/", "/dev/null")
    seen = [e for e in _watched(bench) if not e[0].startswith("socket.")]
    outside = [e for e in seen if e[0] != "write" or not e[1].startswith(allowed)]
    return Outcome.of(not outside, f"{len(outside)} writes or processes outside", episodes=len(CATALOGUE))


def _watched(bench: Bench) -> list[list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED.format(prelude=bench.prelude)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    found: list[list[str]] = json.loads(done.stdout)
    return found


def resource_bounds(bench: Bench) -> Outcome:
    """Memory of the server and its workers, after all recorded episodes, stays below what is declared."""
    declared = float(bench.manifest["validation"]["resources"]["memory_mb"])
    assert bench.episodes
    used = sum(_memory(pid) for pid in bench.server.processes())
    return Outcome.of(0 < used <= declared, f"{used:.0f} of {declared:g} MB", episodes=len(bench.episodes))


def _memory(pid: int) -> float:
    """Return the proportional share of memory of a process in MB (Linux), else its resident size."""
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(float(row.split()[1]) for row in rows if row.startswith("Pss:")) / 1024
    except OSError:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        return usage / (1024 if os.uname().sysname == "Linux" else 2**20)


def episode_isolation(bench: Bench) -> Outcome:
    """Episodes that run at the same time say what they said alone."""
    chosen = [(task, seed) for task in bench.tasks for seed in range(EPISODES)]
    together = bench.play(chosen, together=True)
    same = sum(_plain(a) == _plain(b) for a, b in zip(bench.episodes, together, strict=True))
    return Outcome.of(
        same == len(chosen), f"{same} of {len(chosen)} alike, {len(chosen)} at once", episodes=2 * len(chosen)
    )


def oracle_containment(bench: Bench) -> Outcome:
    """No witness and no hidden value of anything unmeasured is in any message before the end."""
    found = 0
    for episode in bench.episodes:
        hidden = MolforgeEnvironment()
        hidden.reset({"task_id": episode.task, "seed": episode.seed})
        programme = hidden.episode.programme
        given = {structure.smiles for structure in programme.given}
        found += programme.plan.witness not in given and programme.plan.witness in episode.text
    return Outcome.of(
        found == 0, f"{found} witnesses in {len(bench.episodes)} conversations", episodes=len(bench.episodes)
    )


def _molforge(*words: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    call = "import sys; from app.cli import main; sys.exit(main(sys.argv[1:]))"
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.run(
        [sys.executable, "-c", call, *words],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
