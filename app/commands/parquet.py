"""Episodes as a Parquet table: one row a call, the reset first. Needs pyarrow (the extra ``parquet``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.channel import as_json

BATCH_ROWS = 4096


@contextmanager
def writing(out: Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Yield a function that takes an exported episode; raise ``ImportError`` that names the extra."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ImportError("Parquet needs pyarrow (the extra `parquet`): pip install pyarrow") from None
    text = pa.string()
    schema = pa.schema(
        [
            ("session_id", text),
            ("episode", pa.int32()),
            ("number", pa.int32()),
            ("version", text),
            ("kind", text),
            ("message", text),
            ("reward", pa.float64()),
            ("done", pa.bool_()),
            ("digest", text),
            ("observation", text),
        ]
    )
    waiting: list[dict[str, Any]] = []
    with pq.ParquetWriter(out, schema, compression="zstd") as file:

        def flush() -> None:
            if waiting:
                file.write_table(pa.Table.from_pylist(waiting, schema=schema))
                waiting.clear()

        def write(episode: dict[str, Any]) -> None:
            waiting.extend(rows(episode))
            if len(waiting) >= BATCH_ROWS:
                flush()

        yield write
        flush()


def rows(episode: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of one exported episode; messages and observations are JSON text."""
    common = {name: episode[name] for name in ("session_id", "episode", "version")}
    yield {
        **common,
        "number": 0,
        "kind": "reset",
        "message": as_json(episode["reset"]).decode(),
        "reward": 0.0,
        "done": False,
        "digest": episode["digest"],
        "observation": _text(episode.get("observation")),
    }
    for number, step in enumerate(episode["steps"], 1):
        yield {
            **common,
            "number": number,
            "kind": "step",
            "message": as_json(step["action"]).decode(),
            **{name: step[name] for name in ("reward", "done", "digest")},
            "observation": _text(step.get("observation")),
        }


def _text(observation: dict[str, Any] | None) -> str | None:
    return None if observation is None else as_json(observation).decode()
