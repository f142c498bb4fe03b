"""The container of all data files: named arrays and a small header, compressed, checked on reading.

Layout: ``MFL1``, header length (4 bytes, little-endian), header (JSON), the arrays (zlib each, in the
order of the header), SHA-256 of everything before. Written bytes depend on the content alone.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from molforge.errors import EnvironmentFault

_MAGIC = b"MFL1"
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Artefact:
    """One data file in memory; the arrays are read-only."""

    header: Mapping[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]]
    digest: str
    """SHA-256 of the file's content, 64 hex digits."""


def write(path: Path, header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write the file at once; a reader never sees half of it."""
    blobs = {name: zlib.compress(np.ascontiguousarray(array).tobytes(), 9) for name, array in arrays.items()}
    listing = [
        {"name": name, "dtype": array.dtype.str, "shape": list(array.shape), "bytes": len(blobs[name])}
        for name, array in arrays.items()
    ]
    head = json.dumps({**header, "arrays": listing}, sort_keys=True, separators=(",", ":")).encode()
    content = _MAGIC + len(head).to_bytes(4, "little") + head + b"".join(blobs.values())
    partial = path.with_suffix(".partial")
    partial.write_bytes(content + hashlib.sha256(content).digest())
    partial.replace(path)


def read(path: Path) -> Artefact:
    """Read and check a data file; raise ``EnvironmentFault`` where it is missing or damaged."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        hint = "`molforge train-landscapes` makes the landscape files"
        raise EnvironmentFault(f"{path.name} is missing; {hint}") from None
    content, digest = raw[:-_DIGEST_BYTES], raw[-_DIGEST_BYTES:]
    if not content.startswith(_MAGIC) or hashlib.sha256(content).digest() != digest:
        raise EnvironmentFault(f"{path.name} is damaged: its checksum does not match its content")
    start = len(_MAGIC) + 4 + int.from_bytes(content[4:8], "little")
    header = json.loads(content[8:start])
    arrays = {}
    for entry in header.pop("arrays"):
        end = start + entry["bytes"]
        flat = np.frombuffer(zlib.decompress(content[start:end]), entry["dtype"])
        arrays[entry["name"]] = flat.reshape(entry["shape"])
        start = end
    return Artefact(header, arrays, hashlib.sha256(raw).hexdigest())
