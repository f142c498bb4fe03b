"""/metrics: what an operator watches, as Prometheus text, by its official client library.

Counters and times are kept as they happen; sizes (sessions, workers, queue) are read when somebody asks.
Labels are closed sets: no session id, address or payload is ever one.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The figures of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        self._times = {kind: Times() for kind in ("reset", "step")}
        self.registry.register(Read(self._calls))
        self.took: dict[str, Callable[[float], None]] = {
            kind: times.note for kind, times in self._times.items()
        }
        """By kind of call: notes how many seconds one took."""
        self._refused = Counter(
            "molforge_refused",
            "Requests and frames that were answered with an error, by its stable code.",
            ["code"],
            registry=self.registry,
        )

    def refused(self, code: str) -> None:
        """Count an error that was answered."""
        self._refused.labels(code).inc()

    def _calls(self) -> Iterator[Metric]:
        calls = HistogramMetricFamily(
            "molforge_call_seconds",
            "Time from taking a call until its answer is in the journal, by kind; calls that took effect.",
            labels=["kind"],
        )
        for kind, times in self._times.items():
            calls.add_metric([kind], times.buckets(), times.seconds)
        yield calls

    async def text(self) -> bytes:
        """Return everything in the text format; what the system knows of the process is read off the loop."""
        process = await asyncio.to_thread(generate_latest, self._process)
        return generate_latest(self.registry) + process


class Times:
    """How long things took: counted in the loop's thread, so without the lock of the library's histogram."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0
        """Of all together."""

    def note(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Return how many took at most so long, as the text format has them."""
        bounds = [*map(str, BUCKETS), "+Inf"]
        return list(zip(bounds, accumulate(self._counts), strict=True))


class Read:
    """A collector that asks when it is asked."""

    def __init__(self, read: Callable[[], Iterator[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of this moment."""
        return self._read()


def gauge(name: str, meaning: str, values: dict[str, float], *, label: str = "") -> Metric:
    """Return a figure that goes up and down; ``values`` by label, or under the empty one."""
    metric = GaugeMetricFamily(name, meaning, labels=[label] if label else None)
    for key, value in values.items():
        metric.add_metric([key] if label else [], value)
    return metric


def counter(name: str, meaning: str, value: float) -> Metric:
    """Return a figure that only grows."""
    return CounterMetricFamily(name, meaning, value=value)
