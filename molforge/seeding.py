"""Keys and named random streams: everything random in an episode comes from here.

A world key is ``HMAC-SHA256(secret, family, split, seed, settings)``; the noise key of an episode is
derived from it and ``noise_seed``. Streams have names, never offsets, so that seed 7 of one task shares
nothing with seed 8, with seed 7 of another task, or with itself at another difficulty.
"""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Sequence

DEFAULT_SECRET = b"molforge public worlds 1"
"""The documented public secret: everybody who uses it meets the same worlds."""

MAX_SEED = 2**63 - 1


def _message(names: tuple[str | int, ...]) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in (str(name).encode() for name in names))


def derive(key: bytes, *names: str | int) -> bytes:
    """Return the 32-byte sub-key of ``key`` for these names."""
    return hmac.new(key, _message(names), hashlib.sha256).digest()


def world_key(secret: bytes, *, family: str, split: str, seed: int, settings: Sequence[str] = ()) -> bytes:
    """Return the key of one programme's hidden world.

    ``settings`` are what else shapes the programme and differs from the usual. Without them in the key,
    resets at other settings would show other compounds of the same world, with readings, for nothing.
    """
    return derive(secret, "world", family, split, seed, *settings)


def noise_key(world: bytes, noise_seed: int) -> bytes:
    """Return the key of one episode's assay noise and synthesis luck."""
    return derive(world, "noise", noise_seed)


def secret_fingerprint(secret: bytes) -> str:
    """Return 16 hex digits that tell secrets apart without giving them away."""
    return derive(secret, "fingerprint").hex()[:16]


def stream(key: bytes, *names: str | int) -> random.Random:
    """Return a generator of its own for the named purpose."""
    return random.Random(int.from_bytes(derive(key, *names), "big"))


def uniform(key: bytes, *names: str | int) -> float:
    """Return one number in [0, 1), always the same for the same key and names."""
    return int.from_bytes(derive(key, *names)[:7], "big") / 2.0**56


def normal(key: bytes, *names: str | int) -> float:
    """Return one standard normal deviate, the same bits on every machine.

    The sum of twelve 16-bit uniforms (Irwin-Hall): mean 0, variance 1, range +-6, and no libm.
    """
    digest = hashlib.shake_256(derive(key, *names)).digest(24)
    total = sum(int.from_bytes(digest[i : i + 2], "big") for i in range(0, 24, 2))
    return (total - 12 * 32767.5) / 65536.0
