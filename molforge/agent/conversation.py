"""What a model is told: the rules once, then the latest exchanges within a bounded length."""

from __future__ import annotations

RULES = """\
You lead a medicinal-chemistry programme. You are given a target product profile, compounds in hand with
their readings, a budget, and a menu of assays with prices. A hidden landscape decides how good a molecule
truly is; only paid assays tell, and their readings are noisy. Find a compound that meets every limit of
the profile at once, measure it, and nominate it. Near-copies of published molecules earn nothing.

Answer with ONE action on the last line of your answer, as text or as a JSON object:
  assay SMILES; SMILES; SMILES: potency, solubility    make up to 8 new structures and measure them, in one go
  assay M5, M7: potency, logd x2                       measure compounds that have an id (x2: all of it twice)
  design SMILES; SMILES                                free: properties and make price, or why one was refused
  suggest M1                                           free: structures one known edit away from a compound
  nominate M7 potency=8.1[7.5,8.7] logd=2.1[1.8,2.4]   ends it: objective=value[low,high] with 90 % intervals
  stop REASON                                          ends it; earns nothing but where the brief says so
Assay names, prices and objective names are those of the brief. Every action uses one of your turns, also
one that cannot be read. A whole round fits in one assay action: use it. Good practice: change one or two
things on the best compound, 4 to 8 structures a round; read the cheap or decisive assays first; read the
best compound again in a second round; nominate it with an interval for every objective while turns and
budget are left. Where the brief gives a closed set to choose from, nothing is designed: measure and choose.
If no compound of yours is better than the lead yet, nominate your best one anyway."""

HISTORY_CHARACTERS = 24_000
"""What is remembered besides rules and opening: about 8,000 tokens."""
_ANSWER_CHARACTERS = 1_500
_REPLY_CHARACTERS = 4_000

Message = dict[str, str]


class Conversation:
    """The exchange of one programme. The opening stays, the oldest turns go when it grows too long."""

    def __init__(self, opening: str) -> None:
        self._opening = opening
        self._turns: list[tuple[str, str]] = []

    def add(self, *, answer: str, reply: str) -> None:
        """Remember what the model said (its end, where the action is) and what came of it."""
        self._turns.append((answer[-_ANSWER_CHARACTERS:].strip() or "(no answer)", reply[:_REPLY_CHARACTERS]))

    def messages(self, *, calls_left: int) -> list[Message]:
        """Return the messages of the next call; the last one asks for a decision."""
        kept = self._recent()
        dropped = len(self._turns) - len(kept)
        messages = [_message("system", RULES), _message("user", self._opening)]
        for answer, reply in kept:
            messages += [_message("assistant", answer), _message("user", reply)]
        notes = [f"({dropped} earlier turns are not shown.)"] if dropped else []
        notes.append(reminder(calls_left))
        messages[-1]["content"] += "\n\n" + " ".join(notes)
        return messages

    def _recent(self) -> list[tuple[str, str]]:
        room, kept = HISTORY_CHARACTERS, 0
        for answer, reply in reversed(self._turns):
            room -= len(answer) + len(reply)
            if room < 0:
                break
            kept += 1
        return self._turns[len(self._turns) - kept :]


def reminder(calls_left: int) -> str:
    """Return the sentence that ends the message which asks for a decision."""
    if calls_left > 1:
        return f"Calls left, this one included: {calls_left}."
    return "This is your last call: decide now. Nominate your best made compound."


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}
