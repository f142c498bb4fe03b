"""Everything that can go wrong, split by whose fault it is.

    MolforgeError
    ├── AgentError            the agent asked for something that cannot be done: a step, told why
    │   └── RefusedStructure  a structure that cannot be read or may not be made (gate, atom)
    ├── CallerError           the program that holds the session misused it: an error, not a step
    │   ├── BadArgument       an argument of reset with an impossible value
    │   ├── NotReset          step before the first reset
    │   └── EpisodeOver       step after the programme ended
    └── EnvironmentFault      ours: missing artefact, broken invariant

Every class carries a stable ``code``. Servers translate codes in one place; nothing below ``app``
knows about HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence


class MolforgeError(Exception):
    """Base of all errors that MolForge raises on purpose."""

    code = "MOLFORGE_ERROR"


class AgentError(MolforgeError):
    """The agent's action is well formed and cannot be carried out; the message says why."""

    code = "ACTION_REFUSED"


class RefusedStructure(AgentError):
    """A structure that cannot be read, or that no laboratory would make."""

    code = "STRUCTURE_REFUSED"

    def __init__(self, smiles: str, *, gate: str, reason: str, atom: int | None = None) -> None:
        super().__init__(reason)
        self.smiles = smiles
        self.gate = gate
        """Name of the gate that refused, for instance ``size`` or ``ring_system``."""
        self.reason = reason
        """What was wrong and what is allowed, in one sentence."""
        self.atom = atom
        """Index of the offending atom in the SMILES as given, or None where no single atom is."""


class CallerError(MolforgeError):
    """The caller misused a session; nothing happened."""

    code = "CALLER_ERROR"


class BadArgument(CallerError):
    """An argument of ``reset`` with an impossible value."""

    code = "BAD_ARGUMENT"

    def __init__(self, argument: str, value: object, allowed: str) -> None:
        super().__init__(f"{argument}={value!r:.200} is not possible; allowed: {allowed}")
        self.argument = argument
        self.value = value
        self.allowed = allowed


class NotReset(CallerError):
    """A step before the first reset."""

    code = "NOT_RESET"

    def __init__(self) -> None:
        super().__init__("no programme is open in this session: send reset first")


class EpisodeOver(CallerError):
    """A step after the programme ended."""

    code = "EPISODE_OVER"

    def __init__(self) -> None:
        super().__init__("this programme has ended and pays nothing more: send reset to open another")


class EnvironmentFault(MolforgeError):
    """Our own fault: a missing artefact or a broken invariant."""

    code = "ENVIRONMENT_FAULT"


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for a close match among ``known``, else an empty string."""
    from difflib import get_close_matches

    close = get_close_matches(word[:64].lower(), [name.lower() for name in known], n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def as_word(text: str, length: int = 80) -> str:
    """Return somebody else's text fit to stand inside a line: as it is, or quoted where it is no word.

    Blanks, line ends and control characters would let it begin a line of its own in a model's ``text``.
    """
    shown = text[:length]
    return shown if shown.isprintable() and " " not in shown else repr(shown)
