"""The command line: ``molforge serve``, ``molforge play``, ``molforge train-landscapes``.

Only options are parsed here; what a command needs is imported when it runs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import molforge
from app.config import BadSetting, Config
from envs import CATALOGUE, SPLITS
from molforge.options import Help
from molforge.policies import NAMES as POLICIES

EVIDENCE = {
    "redteam": ("redteam.command", "attack the environment: what cheating earns, beside honest play"),
    "certify": ("evidence.certificate.command", "run every check of OpenEnv's severity policy"),
    "evaluate": ("evidence.models.command", "let a language model play the leaderboard's programmes"),
    "export sft": ("evidence.datasets.command", "a policy's episodes as conversations, for fine-tuning"),
    "export tasks": ("evidence.datasets.command", "programmes to play as rows, for trainers"),
}
"""Commands that lie above the server, found by name: their module parses their options in ``main(argv)``."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code (0 done, 1 failed, 2 wrong options)."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads of our own use the cores
    words = list(sys.argv[1:] if argv is None else argv)
    for name, (module, _) in EVIDENCE.items():
        length = len(name.split())
        if words[:length] == name.split():
            command: Callable[[Sequence[str]], int] = import_module(module).main
            return command(words[1:])
    parser = _parser()
    options = parser.parse_args(words)
    try:
        match options.command:
            case "serve":
                return _serve(options)
            case "play":
                return _play(options)
            case "faults":
                return _faults(options)
            case "bench":
                return _bench(options)
            case "gallery":
                return _gallery(options)
            case "export" | "replay":
                return _records(options)
            case "worlds":
                return _worlds(options)
            case _:
                return _train(options)
    except BadSetting as why:
        parser.error(str(why))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="molforge", description="A medicinal-chemistry laboratory for agents."
    )
    parser.add_argument("--version", action="version", version=molforge.__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, what: str) -> argparse.ArgumentParser:
        told = f"{what[0].upper()}{what[1:]}."
        return commands.add_parser(name, help=what, description=told, formatter_class=Help)

    _add_serve(add("serve", "start the server"))
    _add_play(add("play", "play with a reference policy through a real server"))
    _add_records(
        export=add("export", "write the episodes of a journal: JSON lines, or Parquet"),
        replay=add("replay", "play a journal again and prove that it is the same"),
    )
    _add_faults(add("faults", "do harm to a server and measure what it does about it"))
    _add_bench(add("bench", "measure the server beside a stock one, in one run"))
    _add_worlds(add("worlds", "audit the programmes"))
    gallery = add("gallery", "draw what the compounds of every target look like")
    gallery.add_argument("--out", type=Path, default=Path("docs"), metavar="DIR", help="where it goes")
    train = add("train-landscapes", "rebuild the property models from a folder of CSVs")
    train.add_argument("csv_dir", type=Path, metavar="CSV_DIR", help="folder with the measured data")
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the artefacts go")
    train.add_argument("--processes", type=int, default=2, help="that work at once")
    train.add_argument(
        "--only",
        nargs="+",
        default=(),
        metavar="PART",
        help="models, pool_TARGET, reference (default: all)",
    )
    train.add_argument("--resume", action="store_true", help="keep what an interrupted run finished")
    for name, (_, what) in EVIDENCE.items():
        commands.add_parser(name, help=what)  # for the list alone: main hands these on
    return parser


SETTINGS = {
    "host": "address to listen on",
    "port": "TCP port, 0 for a free one",
    "max_sessions": "WebSocket sessions at once",
    "max_rest_sessions": "REST sessions at once",
    "idle_seconds": "detach a session that is idle for so long",
    "rest_idle_seconds": "a REST session idle for so long can lose its place to a new one",
    "call_seconds": "limit of one reset or step",
    "drain_seconds": "wait so long for running calls when stopping",
    "max_detached": "sessions without a socket that can be resumed",
    "resume_seconds": "how long they can",
    "workers": "processes that run environments; -1: one per core, 0: none",
    "threads": "threads that run environments where no processes do",
    "worker_memory_mb": "MiB a worker may take beyond what it shares",
    "calls_per_second": "of all addresses together; 0: no limit",
    "calls_per_second_per_address": "of each; loopback is free",
    "trust_forwarded": "callers are whom the proxy names",
    "access_log": "log every HTTP request",
    "log_format": "text or json",
    "log_level": "DEBUG, INFO, WARNING or ERROR",
}
"""Options of ``serve`` that are settings with a default."""


def _add_serve(parser: argparse.ArgumentParser) -> None:
    """Options of serve; None is 'not given', so that environment variables and defaults stand."""
    parser.epilog = "Every option can be given in the environment too: MOLFORGE_PORT=8000."
    usual = Config()
    for name, what in SETTINGS.items():
        option, value = f"--{name.replace('_', '-')}", getattr(usual, name)
        if value is False:
            parser.add_argument(option, action="store_true", default=None, help=what)
        else:
            told = f"{value:g}" if isinstance(value, float) else value
            parser.add_argument(option, type=type(value), help=f"{what} (default: {told})")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="SQLite file that keeps every session")
    parser.add_argument("--secret-file", type=Path, metavar="FILE", help="key of private worlds")


def _add_play(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--task", choices=tuple(CATALOGUE), help="one family")
    which.add_argument("--all", action="store_true", help="one programme of every family (the default)")
    parser.add_argument("--policy", choices=POLICIES, default="planner", help="who plays")
    parser.add_argument("--split", choices=SPLITS, help="default: train")
    parser.add_argument("--seed", type=int, help="which programme (default: the first)")
    parser.add_argument("--base-url", metavar="URL", help="a running server; default: one of its own")


def _add_bench(parser: argparse.ArgumentParser) -> None:
    names = ("trivial", "real", "single", "start", "many")
    parser.add_argument("--part", action="append", choices=names, help="one of them; may be repeated")
    parser.add_argument("--sessions", type=int, default=32, help="with the trivial environment")
    parser.add_argument("--steps", type=int, default=400, help="of each of them")
    parser.add_argument("--real-sessions", type=int, default=64, help="with the real environment")
    parser.add_argument("--real-steps", type=int, default=12, help="of each of them")
    parser.add_argument("--many", type=int, default=16_384, help="sessions open at once in the last part")
    parser.add_argument("--runs", type=int, default=3, help="medians are of so many")
    parser.add_argument("--workers", type=int, default=2, help="processes of this server")
    parser.add_argument("--stock-python", type=Path, metavar="PYTHON", help="a Python that has openenv 0.10")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="for bench.json, bench.md and pictures")


def _add_faults(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", action="append", metavar="SCENARIO", help="one of them; may be repeated")
    parser.add_argument("--share", type=float, default=1.0, help="of times and counts; below 1: a rehearsal")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where faults.json and faults.md go")


def _faults(options: argparse.Namespace) -> int:
    from app.commands.faults import SCENARIOS, Plan, faults

    only = tuple(options.only or ())
    if unknown := set(only) - set(SCENARIOS):
        print(f"no scenario {', '.join(sorted(unknown))}; there are: {', '.join(SCENARIOS)}", file=sys.stderr)
        return 2
    return faults(Plan(only=only, share=options.share, out=options.out))


def _bench(options: argparse.Namespace) -> int:
    from app.bench.parts import Setting
    from app.commands.bench import Plan, bench

    given = dict(vars(options))
    del given["command"]
    parts, out = tuple(given.pop("part") or ()), given.pop("out")
    return bench(Plan(parts=parts, out=out, setting=Setting(**given)))


def _add_worlds(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("audit",), help="regenerate programmes and prove what they claim")
    parser.add_argument("--task", choices=tuple(CATALOGUE), action="append", help="default: every family")
    parser.add_argument("--split", choices=SPLITS, action="append", help="default: every split")
    parser.add_argument("--count", type=int, default=100, help="programmes of every family and split")
    parser.add_argument("--difficulty", type=float, help="0 to 1; default: the family's own")
    parser.add_argument("--jobs", type=int, default=0, help="processes; 0: one per core")
    parser.add_argument("--searches", type=int, default=0, help="dead programmes to search, truth in sight")
    parser.add_argument("--evaluations", type=int, default=5000, help="structures of such a search")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the rows go, as JSON")


def _worlds(options: argparse.Namespace) -> int:
    from app.commands.worlds import Order, worlds_audit

    order = Order(
        tasks=tuple(options.task or CATALOGUE),
        splits=tuple(options.split or SPLITS),
        count=options.count,
        difficulty=options.difficulty,
        jobs=options.jobs,
        searches=options.searches,
        evaluations=options.evaluations,
        out=options.out,
    )
    return worlds_audit(order)


def _add_records(*, export: argparse.ArgumentParser, replay: argparse.ArgumentParser) -> None:
    export.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="*.parquet for a table; default: standard output",
    )
    export.add_argument(
        "--observations", action="store_true", help="play the episodes again to have them too"
    )
    for parser in (export, replay):
        parser.add_argument(
            "journal", type=Path, metavar="JOURNAL", help="the file that serve --journal wrote"
        )
        parser.add_argument("--secret-file", type=Path, metavar="FILE", help="key of private worlds")


def _records(options: argparse.Namespace) -> int:
    from app.commands.records import Source, export, replay

    secret = Config.from_environ(os.environ, secret_file=options.secret_file).secret
    source = Source(journal=options.journal, secret=secret)
    if options.command == "replay":
        return replay(source)
    return export(source, options.out, with_observations=options.observations)


def _serve(options: argparse.Namespace) -> int:
    given = {name: value for name, value in vars(options).items() if name != "command"}
    config = Config.from_environ(os.environ, **given)
    from app.serving import serve

    return serve(config)


def _play(options: argparse.Namespace) -> int:
    from app.commands.play import Order, play

    tasks = (options.task,) if options.task else tuple(CATALOGUE)
    order = Order(tasks=tasks, policy=options.policy, split=options.split, seed=options.seed)
    return play(order, base_url=options.base_url)


def _gallery(options: argparse.Namespace) -> int:
    from app.commands.gallery import gallery

    return gallery(options.out)


def _train(options: argparse.Namespace) -> int:
    from molforge.landscapes.training.run import Order, train

    if not options.csv_dir.is_dir():
        print(f"no folder {options.csv_dir}", file=sys.stderr)
        return 2
    order = Order(csv_dir=options.csv_dir, out_dir=options.out, only=options.only, resume=options.resume)
    try:
        train(
            order,
            progress=lambda line: print(line, file=sys.stderr, flush=True),
            processes=max(1, options.processes),
        )
    except ValueError as why:
        print(why, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
