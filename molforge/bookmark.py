"""Where a client is in its session: what it takes to go on there after the connection was lost.

Pure bookkeeping, without a network. The client notes what it sends and what comes back; after it has
come back to its session it shows the server's ``state`` and is told whether the call that was under way
had been carried out. So a step is neither lost nor doubled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_PLAYS = ("reset", "step")


class OutOfStep(ConnectionError):
    """The session is not where this client left it: somebody else has played in it."""


@dataclass(slots=True)
class Bookmark:
    """The place of one client."""

    session_id: str = ""
    """The session to come back to; empty before the first reset."""
    steps: int = 0
    """Steps since the last reset, as far as this client knows."""
    open_call: Mapping[str, Any] | None = None
    """The reset or step that was sent and not answered."""
    _last: Mapping[str, Any] = field(default_factory=dict)

    def sent(self, frame: Mapping[str, Any]) -> None:
        """Note what is about to be sent."""
        if frame["type"] in _PLAYS:
            self.open_call = frame

    def refused(self) -> None:
        """Note that the call was answered with an error: nothing happened."""
        self.open_call = None

    def answered(self, frame: Mapping[str, Any], reply: Mapping[str, Any]) -> None:
        """Note the ``data`` of the reply to a reset or step."""
        if frame["type"] not in _PLAYS:
            return
        self.open_call = None
        self.steps = 0 if frame["type"] == "reset" else self.steps + 1
        self.session_id = str(reply.get("observation", {}).get("session_id") or self.session_id)
        self._last = reply

    def come_back(self, state: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Take the state of the session that was found again.

        Returns the reply to the open call if that was carried out; None if it was not, or if there is none.
        Raises ``OutOfStep``; the bookmark then stands where the session does.
        """
        call, known, found = self.open_call, self.steps, int(state["step_count"])
        reply: Mapping[str, Any] = state.get("last_reply") or {}
        if call is not None and call["type"] == "reset":
            if found == 0 and _opens(reply) and not _same(reply, self._last):
                self.answered(call, reply)
                return reply
        elif call is not None and found == known + 1:
            self.answered(call, reply)
            return reply
        if found != known:
            self.open_call, self.steps, self._last = None, found, reply
            raise OutOfStep(
                f"session {self.session_id} is at step {found}, this client had seen {known}: "
                "somebody else has played in it; state() shows where it is"
            )
        self.open_call = None
        return None


def _opens(reply: Mapping[str, Any]) -> bool:
    return reply.get("observation", {}).get("brief") is not None


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Compare two replies; on the wire an observation has a ``metadata`` that the notebook leaves out."""
    return all(_bare(one.get(name)) == _bare(other.get(name)) for name in ("observation", "reward", "done"))


def _bare(value: Any) -> Any:
    return {k: v for k, v in value.items() if k != "metadata"} if isinstance(value, Mapping) else value
