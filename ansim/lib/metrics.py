"""What the processes of one host count, as one figure (docs/adr/0023): counters and histograms in files of METRICS_DIR.

Each process writes to the files of a slot: the lowest number that no living process holds. Who takes its place goes on
counting where it stopped, so that a replaced process neither loses what it counted nor leaves files behind for ever.
Nothing here asks the database or Redis. Labels are words of ours: never an address, a number, a name or an id.
"""

import contextlib
import fcntl
import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from prometheus_client import CollectorRegistry, generate_latest, values
from prometheus_client import Counter as _Counter
from prometheus_client import Histogram as _Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

log = logging.getLogger(__name__)

PREFIX = "ansim_"
MOST = 1024  # processes of one host
REQUESTS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)  # seconds
OUTSIDE = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 8.0, 15.0)
DELAYS = (0.1, 0.5, 1.0, 3.0, 10.0, 30.0, 120.0, 600.0, 3600.0)
_WORD = re.compile(r"[A-Za-z0-9_]{1,40}")


def _merged(paths: Iterable[Path]) -> list[Metric]:
    return list(MultiProcessCollector.merge([str(path) for path in paths]))  # type: ignore[no-untyped-call]


def _unreadable(paths: Iterable[Path]) -> list[Path]:
    """Another user's, or what a crash of the machine left: figures that are lost, and no reason not to start.

    The library meets such a file with half a dozen kinds of errors.
    """
    found = []
    for path in paths:
        try:
            _merged([path])
            broken = not 0 <= _used(path) <= path.stat().st_size
        except Exception:
            broken = True
        if broken:
            found.append(path)
    return found


def _used(path: Path) -> int:
    """How much of the file is in use, as its first four bytes say. (0: nothing was counted yet.)"""
    with path.open("rb") as file:
        return int.from_bytes(file.read(4), sys.byteorder, signed=True)


class Slot:
    """This process's number among those that count at the same time; a forked child takes one of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._pid, self._number = folder, 0, 0
        self._lock = -1

    def __call__(self) -> int:
        if self._pid != os.getpid():
            self._number, self._lock = self._take()
            self._pid = os.getpid()
        return self._number

    def _take(self) -> tuple[int, int]:
        """The lock goes with the process, however it ends. A file that we may not open is another user's slot."""
        if self._lock >= 0:
            os.close(self._lock)  # the parent's, which keeps it
        for number in range(MOST):
            with contextlib.suppress(OSError):
                lock = os.open(self._folder / f"slot-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    os.close(lock)
                    raise
                for damaged in _unreadable(self._folder.glob(f"*_{number}.db")):
                    os.unlink(damaged)
                return number, lock
        raise OSError(f"no slot is free in {self._folder}")


def _share(folder: Path) -> bool:
    """False where the folder cannot be used: then each process counts for itself and nobody sees it. Never an end."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        values.ValueClass = values.MultiProcessValue(process_identifier=Slot(folder))  # type: ignore[no-untyped-call]
    except OSError as error:
        log.error("metrics_not_shared", extra={"why": type(error).__name__})
        values.ValueClass = values.MutexValue
        return False
    return True


_shared = _share(settings.METRICS_DIR)
declared: list[_Counter | _Histogram] = []


def counter(name: str, what: str, *labels: str) -> _Counter:
    """`name` without prefix and `_total`."""
    made = _Counter(PREFIX + name, what, labels, registry=None)
    declared.append(made)
    return made


def histogram(name: str, what: str, *labels: str, buckets: Sequence[float] = REQUESTS) -> _Histogram:
    """Of seconds; `name` without prefix."""
    made = _Histogram(PREFIX + name, what, labels, buckets=buckets, registry=None)
    declared.append(made)
    return made


def word(code: str) -> str:
    """A vendor's own code as a label; what is no plain word counts as "other", so that labels stay few."""
    return code if _WORD.fullmatch(code) else "other"


def outcome(failure: str) -> str:
    """Of a call whose failure is told in a few words; "answered" where there is none."""
    return word(failure.replace(" ", "_")) if failure else "answered"


@dataclass(frozen=True)
class Gauge:
    """What stands at this moment: read from the database or Redis when somebody asks, counted nowhere."""

    name: str
    what: str
    labels: tuple[str, ...] = ()
    samples: list[tuple[tuple[str, ...], float]] = field(default_factory=list)

    def add(self, value: float, *labels: str) -> "Gauge":
        self.samples.append((labels, value))
        return self

    def family(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily(PREFIX + self.name, self.what, labels=self.labels)
        for labels, value in self.samples:
            family.add_metric(labels, value)
        return family


def exposition(gauges: Iterable[Gauge]) -> bytes:
    """Everything this host's processes counted, and the gauges, as Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Everything(gauges))
    return bytes(generate_latest(registry))


class _Everything:
    def __init__(self, gauges: Iterable[Gauge]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        yield from (gauge.family() for gauge in self._gauges)
        if _shared:
            paths = list(settings.METRICS_DIR.glob("*.db"))
            try:
                yield from _merged(paths)
            except Exception:  # see `_unreadable`
                damaged = _unreadable(paths)
                log.error("metrics_unreadable", extra={"files": [path.name for path in damaged]})
                yield from _merged(path for path in paths if path not in damaged)
