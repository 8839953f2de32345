"""The picture of docs/speed.md, from what `python -m bench --json FILE` wrote: `python -m bench.plot FILE PICTURE`."""

import importlib
import json
import statistics
import sys
from pathlib import Path
from typing import Any

from bench.figures import Rounds
from bench.rivals import RIVALS

OURS, THEIRS, FLOOR = "#1f6feb", "#9a6700", "#6e7781"
FLOORS = ("decode", "read")
SITUATIONS = {"idle": "nothing else", "upload": "25 MiB uploads", "rush": "the rush"}


def middle(rounds: Rounds, rival: str, name: str) -> float:
    """The median of a figure over the rounds."""
    return statistics.median(figures[name] for figures in rounds[rival])


def draw(works: dict[str, Rounds], picture: Path) -> None:
    """Draw whatever of it was measured.

    Raises:
        ImportError: matplotlib is missing; `pip install ngshare-fs[bench]` brings it.
    """
    matplotlib: Any = importlib.import_module("matplotlib")
    matplotlib.use("Agg")
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    figure, (above, below) = pyplot.subplots(2, 1, figsize=(8, 6.5), layout="constrained")
    _rush(above, works)
    _reader(below, works.get("reader_meanwhile", {}))
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, dpi=120, metadata={"Date": None} if picture.suffix == ".svg" else None)
    pyplot.close(figure)


def _rush(axes: Any, works: dict[str, Rounds]) -> None:
    bars: dict[str, list[float]] = {}
    for work in ("slow_disk", "rush"):
        for rival, rounds in works.get(work, {}).items():
            if rounds and rival not in FLOORS and (work == "rush" or rival.endswith("-slow")):
                bars[rival] = [figures["per second"] for figures in rounds]
    for row, (rival, values) in enumerate(reversed(bars.items())):
        shown = statistics.median(values)
        axes.barh(row, shown, color=_colour(rival), height=0.6)
        axes.plot([min(values), max(values)], [row, row], color="black", linewidth=1.5, solid_capstyle="butt")
        axes.annotate(f" {shown:.0f}/s", (max(values), row), va="center")
    axes.set_yticks(range(len(bars)), [RIVALS[rival].title for rival in reversed(bars)])
    for rival in FLOORS:
        if works.get("rush", {}).get(rival):
            floor = middle(works["rush"], rival, "per second")
            axes.axvline(floor, color=FLOOR, linestyle="--", linewidth=1)
            text = f"{RIVALS[rival].title}: {floor:.0f}/s "
            axes.annotate(text, (floor, len(bars) - 0.5), ha="right", va="bottom", color=FLOOR, fontsize=9)
    axes.set_ylim(-0.6, len(bars) + 0.1)
    axes.set_xlabel("submissions a second, each followed by a list (black: least to most of the rounds)")
    axes.set_title("Deadline rush: 50 clients, 100 KiB in 3 files", loc="left", pad=16)


def _reader(axes: Any, rounds: Rounds) -> None:
    rivals = [rival for rival in rounds if rounds[rival]]
    for offset, rival in enumerate(rivals):
        for row, situation in enumerate(SITUATIONS):
            height = row + 0.2 * ((len(rivals) - 1) / 2 - offset)
            low, high = (middle(rounds, rival, f"{situation} {which}") for which in ("p50", "p99"))
            colour = _colour(rival)
            label = RIVALS[rival].title if row == 0 else None
            marker = "s" if rival == "ours-2" else "o"
            axes.plot([low, high], [height, height], color=colour, linewidth=1, alpha=0.6)
            axes.plot([low], [height], marker, color=colour, markerfacecolor="white")
            axes.plot([high], [height], marker, color=colour, label=label, linestyle="none")
            axes.annotate(f"{high:.0f}", (high, height), xytext=(7, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(SITUATIONS)), [f"during {what}" for what in SITUATIONS.values()])
    axes.set_xscale("log")
    axes.set_xlabel("what a reader of the list of assignments waits, ms (hollow: median, filled: 99th percentile)")
    axes.set_title("A reader meanwhile", loc="left")
    if rivals:
        axes.legend(frameon=False, loc="best")


def _colour(rival: str) -> str:
    return THEIRS if rival == "ngshare" else OURS


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text())["works"], Path(sys.argv[2]))
