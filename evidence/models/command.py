"""``molforge evaluate``: a language model plays the leaderboard's programmes, one attempt each."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envs import SPLITS
from molforge.evaluation.progress import tell
from molforge.options import counted, counted_or_none, parser_of
from redteam.options import add_tasks

if TYPE_CHECKING:
    from evidence.models.player import Attempt

ROOT = Path(__file__).parents[2]


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate; 0 when every programme was played, 1 when some were not, 2 where nothing could be."""
    parser = _parser()
    options = parser.parse_args(argv)
    key = os.environ.get("HF_TOKEN") or os.environ.get("API_KEY") or os.environ.get("OPENAI_API_KEY")
    if not key:
        parser.error("no credential: set HF_TOKEN, API_KEY or OPENAI_API_KEY (any text for a local endpoint)")
    try:
        from evidence.models import standing
        from evidence.models.player import EndpointFailed
    except ImportError as why:
        return _fail(f"it needs the extras `client` and `agent`: {why}")
    try:
        attempts = asyncio.run(_evaluate(options, key))
    except EndpointFailed as why:
        return _fail(f"{options.api_base_url} does not answer as {options.model}: {why}")
    except KeyboardInterrupt:
        tell("stopped; the same command goes on where this one was")
        return 130
    missing = len(options.tasks) * options.programmes - len(attempts)
    if not attempts:
        return _fail("no programme could be begun: is the server there?")
    found = standing.row(attempts)
    sys.stdout.write(standing.table(found) + "\n")
    if cut := found["all"]["cut"]:
        tell(f"{cut} cut: --again-cut plays them once more, and the row says so")
    if missing:
        tell(f"{missing} not begun: the same command plays them")
    if options.add_to is not None:
        try:
            standing.add(options.add_to, found)
        except ValueError as why:
            return _fail(str(why))
    return 1 if cut or missing else 0


def _fail(why: str) -> int:
    sys.stderr.write(f"molforge evaluate: {why}\n")
    return 2


async def _evaluate(options: argparse.Namespace, key: str) -> list[Attempt]:
    from contextlib import AsyncExitStack

    from evidence.models import contest
    from evidence.models.player import Endpoint, Model
    from molforge.agent.local_server import local_server
    from molforge.evaluation import provenance

    seeds = range(options.first, options.first + options.programmes)
    name = re.sub(r"[^A-Za-z0-9.-]+", "_", options.model)
    journal = options.journal or Path(f".cache/evaluate-{name}.jsonl")
    journal.parent.mkdir(parents=True, exist_ok=True)
    endpoint = Endpoint(
        base_url=options.api_base_url,
        model=options.model,
        api_key=key,
        temperature=options.temperature,
        max_tokens=options.max_tokens,
        seconds=options.timeout,
    )
    told = {name: getattr(options, name) for name in ("max_steps", "temperature", "max_tokens", "base_url")}
    async with AsyncExitStack() as stack:
        model = Model(endpoint)
        stack.push_async_callback(model.close)
        url = options.base_url or await stack.enter_async_context(local_server(ROOT))
        return await contest.hold(
            url,
            model,
            [(task, options.split, seed) for task in options.tasks for seed in seeds],
            journal=journal,
            concurrency=options.concurrency,
            made_with=provenance.stamp(),
            settings=", ".join(f"{name} {value}" for name, value in told.items() if value is not None),
            arguments={"max_steps": options.max_steps} if options.max_steps else {},
            again_cut=options.again_cut,
            progress=tell,
        )


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("molforge evaluate", __doc__)
    add = parser.add_argument
    add("--model", required=True, help="name that the endpoint knows it by")
    url = os.environ.get("API_BASE_URL", "https://router.huggingface.co/v1")
    add("--api-base-url", default=url, metavar="URL", help="an OpenAI-compatible endpoint")
    add_tasks(parser)
    add("--split", choices=SPLITS, default="test", help="which programmes")
    add("--programmes", type=counted, default=60, help="of each family")
    add("--first", type=counted_or_none, default=0, help="first seed")
    add("--concurrency", type=counted, default=8, help="programmes at once")
    add("--temperature", type=float, default=0.0, help="of the model")
    add("--max-tokens", type=counted, default=4096, help="of one answer")
    add("--timeout", type=float, default=120.0, metavar="SECONDS", help="for each of four tries of a call")
    add("--max-steps", type=counted, help="turns of a programme (default: the family's)")
    add("--base-url", metavar="URL", help="a running server (default: one of its own)")
    add(
        "--journal",
        type=Path,
        metavar="FILE",
        help="attempts, to resume from (default: .cache/evaluate-MODEL.jsonl)",
    )
    add("--again-cut", action="store_true", help="play again what was begun and never finished")
    add("--add-to", type=Path, metavar="FILE", help="JSON file of leaderboard rows")
    return parser


if __name__ == "__main__":
    sys.exit(main())
