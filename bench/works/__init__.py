"""The works: one module each, all with one interface."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Target, percentile
from bench.load import Measured
from bench.rivals import Rival
from bench.sample import Sample

KEYS = (
    "rush",
    "cold",
    "memory",
    "slow_disk",
    "journal",
    "large",
    "reader_meanwhile",
    "listings",
    "pages",
    "pages_meanwhile",
    "roster",
    "fetch",
    "collect",
    "submit",
    "start",
    "volume_size",
)
IDLE_SECONDS = 120.0


@dataclass(frozen=True)
class Options:
    """How much is to be done.

    Args:
        scale: 1 for the real thing; less for a quick look.
        patient: whether to wait for what takes ngshare minutes.
        idle: for how many seconds servers are idle before a cold start; scaled like all else.
    """

    scale: float = 1.0
    patient: bool = False
    idle: float = IDLE_SECONDS

    def scaled(self, amount: int, at_least: int = 1) -> int:
        """A scaled amount."""
        return max(int(amount * self.scale), min(at_least, amount))


class Work:
    """What is measured.

    Attributes:
        title: a line for the table.
        rivals: those who do it, unless others are asked for.
        rows: the figures that tables show, and what they are called there.
        targets: what is to be reached.
        fresh: whether each round begins with new data; works that only read keep theirs.
    """

    title: str
    rivals: Sequence[str]
    rows: Sequence[tuple[str, str]]
    targets: Sequence[Target]
    fresh = True

    def __init__(self, options: Options) -> None:
        self.options = options

    def samples(self, rival: Rival) -> dict[str, Sample]:
        """What is to be there beforehand, by names of the work's own."""
        raise NotImplementedError

    def measure(self, rival: Rival, folders: Mapping[str, Path]) -> tuple[dict[str, float], list[Measured]]:
        """One round: the figures, and the loads whose wrong answers count.

        Args:
            folders: where the samples lie.
        """
        raise NotImplementedError


def make(key: str, options: Options) -> Work:
    """The work of this name."""
    made = importlib.import_module(f"bench.works.{key}").WORK(options)
    assert isinstance(made, Work)
    return made


def times(measured: Measured) -> dict[str, float]:
    """The median and the 99th percentile of each kind of request, in ms, and how busy the generator was."""
    figures = {}
    for kind, values in measured.milliseconds.items():
        figures[f"{kind} p50"] = percentile(values, 0.5)
        figures[f"{kind} p99"] = percentile(values, 0.99)
    figures["generator"] = 100 * measured.own_cpu / measured.seconds if measured.seconds else 0
    figures["wrong"] = measured.wrong_count
    return {**figures, **measured.facts}
