"""Batches between server and workers arrive as they were sent, wherever the stream is cut."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.channel import Answers, Batches, Calls, Kind, read_answers
from app.hosting import Reply
from molforge.errors import BadArgument, EpisodeOver

BODIES = st.binary(max_size=300)


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    """Return the stream cut at these places."""
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[begin:end] for begin, end in pairwise(places)]


@given(st.lists(BODIES, min_size=1, max_size=6), st.lists(st.integers(0, 10**6), max_size=5))
def test_calls_arrive_whole_wherever_the_stream_is_cut(bodies: list[bytes], cuts: list[int]) -> None:
    calls, stream = Calls(), b""
    for number, body in enumerate(bodies, 1):
        calls.add(number, Kind.STEP, f"session {number}", body)
        if number % 2:
            stream += calls.taken()
    stream += calls.taken()

    batches, found = Batches(), []
    for piece in pieces(stream, cuts):
        for array, payload in batches.read(piece):
            begin = 0
            for number, kind, session_id, size in array:
                found.append((number, kind, session_id, payload[begin : begin + size]))
                begin += size

    assert found == [(number, Kind.STEP, f"session {number}", body) for number, body in enumerate(bodies, 1)]


@given(st.lists(BODIES, max_size=4), st.lists(st.integers(0, 10**6), max_size=5))
def test_answers_arrive_as_they_were_given(bodies: list[bytes], cuts: list[int]) -> None:
    sent = {
        **{number: Reply(body, 0.1 * number, True, "d", None) for number, body in enumerate(bodies, 1)},
        10: b"state",
        11: Reply(b"reset", 0.0, False, "e", {"next": 10**30, "rate": math.inf}),
        12: b"",
    }
    answers = Answers()
    for number, value in sent.items():
        answers.add(number, value)
    answers.add(13, EpisodeOver())
    answers.add(14, BadArgument("seed", -1, "0 to 2^63-1"))

    batches, found = Batches(), {}
    for piece in pieces(answers.taken(), cuts):
        for array, payload in batches.read(piece):
            found |= read_answers(array, payload)

    over, bad = found.pop(13), found.pop(14)
    assert found == sent
    assert isinstance(over, EpisodeOver)
    assert isinstance(bad, BadArgument)
    assert (bad.argument, bad.value, bad.allowed) == ("seed", -1, "0 to 2^63-1")
