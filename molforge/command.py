"""Text to action: what a language model writes, read as kindly as can be without guessing.

Accepted, in this order of preference:

* a JSON object with the wire fields, alone, in a code fence or inside prose
  (``{"action_type": "design", "smiles": ["CCO"]}``; ``{"action": {...}}`` is unwrapped);
* the last line that starts with a verb::

    suggest M1 [fluorine_scan]
    design CCO; CCN
    assay M3, M4: potency, logd x2         assay CCO; CCN: potency
    assay(M3, potency x2)
    nominate M3 potency=8.1[7.5,8.7] logd=2.1[1.8,2.4]
    stop the series is dead

A stop is final, and prose may begin with the word: it counts only where no other line is an action.
Anything else is an ``AgentError`` that shows the grammar.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from molforge.actions import MAX_STRUCTURES, Action, ActionType, Prediction
from molforge.errors import AgentError, as_word, did_you_mean

GRAMMAR = (
    "write one JSON action or one line: 'suggest M1', 'design SMILES; SMILES', "
    "'assay M2, M3: potency, logd x2' (x2: all of it twice; SMILES may stand for ids, separated by ';'), "
    "'nominate M3 potency=8.1[7.5,8.7]', 'stop REASON'"
)
MAX_COMMAND = 8000
"""Characters; what is longer is refused unread."""
_MAX_OBJECTS = 64
"""Places in a text at which a JSON object is looked for."""
_LANGUAGE = re.compile(r"[a-zA-Z]*\n?")
_VERB = re.compile(
    r"(?:(?:action|command|final answer)[\s:>*\-`]*+)?"
    r"(suggest|design|assay|nominate|stop)\b(?!\?)[*`]*+\s*+[:(]?\s*+(.*)$",
    re.IGNORECASE,
)
"""Possessive where two runs could share a blank: a line is read in linear time."""
_BEFORE_A_VERB = " \t\r\f\v>*-`:"
_NUMBER = r"[-+]?(?:\d++(?:\.(?!\.)\d*+)?|\.\d++)(?:[eE][-+]?\d++)?"
_PREDICTION = re.compile(
    r"(?<!\w)([A-Za-z_]\w*+)\s*+=\s*+"
    rf"({_NUMBER})\s*+[\[(]\s*+({_NUMBER})\s*+(?:,|\.\.|to|;)\s*+({_NUMBER})\s*+[\])]"
)
_HALF_WRITTEN = re.compile(r"(?<!\w)[A-Za-z_]\w*+\s*+=|\[\s*+[-+.\d]")
"""What looks like a prediction, once those that can be read are taken out."""
_TIMES = re.compile(r"(?<!\s)\s*+([x*])\s*+(\d++)(?=[,;\s]|$)")
_COUNT = r"[x*]\s*(\d{1,9})"
_ASSAY = re.compile(rf"([A-Za-z_]\w*?)(?:\s*{_COUNT})?")
_FOR_ALL = re.compile(_COUNT)
_COLON = re.compile(r":(?:\s|$)")
"""Between compounds and assays; none of a SMILES stands before a blank."""
_PUNCTUATION = ".:!()[]'\"`*_"
"""Around a name it means nothing; in a structure it may."""
_FILLERS = frozenset(("&", "+", "and", "by", "each", "for", "of", "on", "using", "with"))
"""Words between names that mean nothing here, and are no SMILES."""
_ID = re.compile(r"^[Mm]\d+$")
_STRUCTURE = re.compile(r"(?=.*[\d=#]|[BCNOFPS]+$)(?=.*[A-Za-z])[A-Za-z0-9@+\-\[\]()=#/\\%.]{3,}")
"""What looks like a SMILES and like no word."""
_LIST_FIELDS = ("smiles", "compounds", "assays")
_TEXT_FIELDS = ("compound", "transformation", "rationale", "reason")


def parse_command(text: str, *, assays: tuple[str, ...]) -> Action:
    """Return the action that ``text`` asks for; raise ``AgentError`` where there is none.

    ``assays`` are the names of the menu: they tell ``assay(M3, potency)`` apart from two compounds.
    """
    if len(text) > MAX_COMMAND:
        raise AgentError(f"the command has {len(text)} characters; at most {MAX_COMMAND}")
    if not text.strip():
        raise AgentError(f"empty command; {GRAMMAR}")
    candidates = [*_fenced(text), text]
    for candidate in candidates:
        if (found := _find_object(candidate)) is not None:
            return action_from_mapping(found)
    for candidate in candidates:
        lines = candidate.splitlines()
        if asked := list(_action_lines(lines)):
            *before, (number, verb, rest) = asked
            if verb is ActionType.STOP:
                _refuse_beside_another(before, assays)
            elif verb is ActionType.NOMINATE:  # its predictions may stand below it
                rest = " ".join([rest, *takewhile(_PREDICTION.search, lines[number + 1 :])])
            return _parse_line(verb, rest, assays)
    raise AgentError(f"no action found in the text; {GRAMMAR}")


def _action_lines(lines: Sequence[str]) -> Iterator[tuple[int, ActionType, str]]:
    """Yield place, verb and rest of every line that starts with a verb."""
    for number, line in enumerate(lines):
        if match := _VERB.match(line.lstrip().lstrip(_BEFORE_A_VERB)):
            yield number, ActionType(match[1].lower()), match[2].strip().strip("`*").strip()


def _refuse_beside_another(asked: Iterable[tuple[int, ActionType, str]], assays: tuple[str, ...]) -> None:
    """Raise ``AgentError`` if one of the lines before a stop is another action, readable or not."""
    for _, verb, rest in asked:
        if _is_no_sentence(verb, rest, assays):
            raise AgentError(
                f"a line asks for {verb} and a later one for stop, which ends the programme for good: "
                "write one of them alone"
            )


def _is_no_sentence(verb: ActionType, rest: str, assays: tuple[str, ...]) -> bool:
    """Say whether a line that begins with a verb can hardly have been meant as a sentence."""
    words = _split_structures(rest.replace(":", " ").replace("(", " ("))
    is_named = bool(words) and bool(_ID.match(words[0].strip(_PUNCTUATION)))
    has_structure = any(map(_STRUCTURE.fullmatch, words))
    match verb:
        case ActionType.SUGGEST:
            return is_named and (len(words) == 1 or (len(words) == 2 and "_" in words[1]))
        case ActionType.NOMINATE:
            return is_named and (len(words) == 1 or "=" in rest)
        case ActionType.DESIGN:
            return has_structure
        case ActionType.ASSAY:
            names = {word.strip(_PUNCTUATION).lower() for word in words}
            return not names.isdisjoint(assays) and (is_named or has_structure)
    return False


def _fenced(text: str) -> list[str]:
    """Return the contents of the code fences."""
    parts = text.split("```")
    return [_LANGUAGE.sub("", part, count=1).strip() for part in parts[1:-1:2]]


def _find_object(text: str) -> dict[str, Any] | None:
    decoder = json.JSONDecoder()
    start = text.find("{")
    for _ in range(_MAX_OBJECTS):
        if start == -1:
            break
        try:
            found, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            inner = found.get("action")
            found = inner if isinstance(inner, dict) else found
            if "action_type" in found or "action" in found or "type" in found:
                return found
        start = text.find("{", start + 1)
    return None


def action_from_mapping(message: Mapping[str, Any]) -> Action:
    """Return the action a JSON object stands for; raise ``AgentError`` for fields of the wrong shape."""
    fields = {name: value for name, value in message.items() if value is not None}
    verb = fields.pop("action_type", None) or fields.pop("action", None) or fields.pop("type", None)
    fields.pop("metadata", None)
    known = {*_LIST_FIELDS, *_TEXT_FIELDS, "n", "replicates", "predicted"}
    if unknown := sorted(set(fields) - known):
        hint = did_you_mean(unknown[0], sorted(known))
        raise AgentError(f"unknown field {unknown[0]!r:.80}{hint}; allowed: {', '.join(sorted(known))}")
    values: dict[str, Any] = {"action_type": _verb(verb)}
    for name in _LIST_FIELDS:
        if name in fields:
            values[name] = _strings(name, fields[name])
    for name in _TEXT_FIELDS:
        if name in fields:
            values[name] = _string(name, fields[name])
    for name in ("n", "replicates"):
        if name in fields:
            values[name] = _integer(name, fields[name])
    if "predicted" in fields:
        values["predicted"] = _predictions(fields["predicted"])
    return Action(**values)


def _verb(value: object) -> ActionType:
    try:
        return ActionType(str(value).lower())
    except ValueError:
        names = ", ".join(ActionType)
        raise AgentError(f"unknown action_type {value!r:.80}; allowed: {names}") from None


def _string(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise AgentError(f"{name} must be a string, not {value!r:.60}")
    return value


def _strings(name: str, value: object) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise AgentError(f"{name} must be a list of strings, not {value!r:.60}")
    return tuple(items)


def _integer(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise AgentError(f"{name} must be a whole number, not {value!r:.60}")
    return value


def _predictions(value: object) -> dict[str, Prediction]:
    if not isinstance(value, Mapping):
        raise AgentError("predicted must map an objective to {value, low, high}")
    predictions = {}
    for name, item in value.items():
        try:
            numbers = {part: float(item[part]) for part in ("value", "low", "high")}
        except (TypeError, KeyError, ValueError, IndexError, OverflowError):
            raise AgentError(f"predicted[{name!r:.80}] must be {{value, low, high}}, all numbers") from None
        predictions[str(name)] = Prediction(**numbers)
    return predictions


def _parse_line(kind: ActionType, rest: str, assays: tuple[str, ...]) -> Action:
    if kind is ActionType.STOP:
        return Action(action_type=kind, reason=rest.rstrip(")") or "no reason given")
    if kind is ActionType.NOMINATE:
        return _parse_nominate(rest)
    if kind is ActionType.SUGGEST:
        words = rest.rstrip(")").replace(",", " ").split()
        transformation = words[1].strip("[]") if len(words) > 1 else None
        return Action(action_type=kind, compound=words[0] if words else None, transformation=transformation)
    if kind is ActionType.DESIGN:
        return Action(action_type=kind, smiles=_split_structures(rest))
    return _parse_assay(rest, assays)


def _parse_nominate(rest: str) -> Action:
    first = re.split(r"[\s,):]", rest, maxsplit=1)[0]
    predictions = rest.removeprefix(first)
    predicted = {
        name.lower(): Prediction(value=float(value), low=float(low), high=float(high))
        for name, value, low, high in _PREDICTION.findall(predictions)
    }
    if left := _HALF_WRITTEN.search(_PREDICTION.sub(" ", predictions)):
        raise AgentError(
            f"no prediction can be read at {as_word(left[0])}: it is NAME=VALUE[LOW,HIGH] with the ends of a "
            "90 % interval, for instance potency=8.1[7.5,8.7]"
        )
    return Action(action_type=ActionType.NOMINATE, compound=first.strip("*`'\"") or None, predicted=predicted)


def _split_structures(text: str) -> tuple[str, ...]:
    """Split at ';', ',' or white space; none of them occurs in a SMILES that may be made."""
    parts = (part.strip("'\"`[] ") if part[:1] in "'\"`" else part for part in re.split(r"[;,\s]+", text))
    return tuple(part for part in parts if part)


def _parse_assay(rest: str, assays: tuple[str, ...]) -> Action:
    closing = rest.removesuffix(")") if rest.count(")") > rest.count("(") else rest
    sides = [_Side.of(_TIMES.sub(r"\1\2", text), assays) for text in _COLON.split(closing, maxsplit=1)]
    named = [side for side in sides if side.names]
    if not named:
        raise AgentError(f"no assay of the menu named; allowed: {', '.join(assays)}")
    if len(sides) == 2 and (unknown := [word for word in named[-1].subjects if not _ID.match(word)]):
        hint = did_you_mean(unknown[0], list(assays))
        raise AgentError(f"no assay {as_word(unknown[0])}{hint}; allowed: {', '.join(assays)}")
    subjects = [word for side in sides for word in side.subjects]
    ids = tuple(word.upper() for word in subjects if _ID.match(word))
    smiles = tuple(word for word in subjects if not _ID.match(word))
    if len(smiles) > MAX_STRUCTURES:
        raise AgentError(f"{len(smiles)} structures in one assay; at most {MAX_STRUCTURES}")
    return Action(
        action_type=ActionType.ASSAY,
        compounds=ids,
        smiles=smiles,
        assays=tuple(name for side in sides for name in side.names),
        replicates=_replicates(
            [count for side in sides for count in side.counts],
            next((side.leading for side in sides if side.leading is not None), None),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """What stands on one side of the colon of an ``assay`` line."""

    subjects: list[str]
    names: list[str]
    counts: list[int | None]
    """One for each name, None without; a count that stands alone belongs to the name before it ..."""
    leading: int | None
    """... and one with no name before it to all."""

    @staticmethod
    def of(text: str, assays: tuple[str, ...]) -> _Side:
        """Sort the words of a text."""
        subjects: list[str] = []
        names: list[str] = []
        counts: list[int | None] = []
        leading: int | None = None
        for word in _split_structures(text):
            bare = word.strip(_PUNCTUATION)
            match = _ASSAY.fullmatch(bare)
            if match and match[1].lower() in assays:
                names.append(match[1].lower())
                counts.append(int(match[2]) if match[2] else None)
            elif alone := _FOR_ALL.fullmatch(bare):
                if counts:
                    counts[-1] = int(alone[1])
                else:
                    leading = int(alone[1])
            elif bare and bare.lower() not in _FILLERS:
                subjects.append(bare if _ID.match(bare) else word.rstrip(":"))
        return _Side(subjects, names, counts, leading)


def _replicates(counts: list[int | None], leading: int | None) -> int:
    """Return the count before all assays, behind the last one, or behind every one; 1 where there is none."""
    *before, last = counts
    if leading is not None and set(counts) == {None}:
        return leading
    if set(before) not in (set(), {None}, {last}) or leading not in (None, last):
        raise AgentError(
            "one count holds for all assays of an action and stands at its end, for instance "
            "'assay M2: potency, logd x2'; other counts take another action"
        )
    return 1 if last is None else last
