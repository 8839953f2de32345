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
ROWS = ("ngshare-as-deployed", "ours-as-deployed", "ngshare", "ours", "ours-2", "ours-slow", "ours-2-slow")
FLOORS = ("decode-multipart", "read")
SITUATIONS = {"idle": "alone", "upload": "during 25 MiB uploads", "rush": "during the rush"}


def middle(rounds: Rounds, rival: str, name: str) -> float:
    """The median of a figure over the rounds."""
    return statistics.median(figures[name] for figures in rounds[rival])


def draw(works: dict[str, Rounds], picture: Path) -> None:
    """Draw whatever of it was measured.

    Raises:
        ImportError: matplotlib is missing; `pip install -e '.[bench]'` brings it.
    """
    matplotlib: Any = importlib.import_module("matplotlib")
    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "speed"})  # text stays text; the same each time
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    figure, (above, below) = pyplot.subplots(2, 1, figsize=(8, 6.5), layout="constrained")
    _rush(above, works)
    _reader(below, works.get("reader_meanwhile", {}))
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, dpi=120, metadata={"Date": None} if picture.suffix == ".svg" else None)
    pyplot.close(figure)


def _rush(axes: Any, works: dict[str, Rounds]) -> None:
    bars = {rival: values for rival in ROWS if (values := _throughput(rival, works))}
    for row, (rival, values) in enumerate(bars.items()):
        shown = statistics.median(values)
        axes.barh(row, shown, color=_colour(rival), height=0.6)
        axes.plot([min(values), max(values)], [row, row], color="black", linewidth=1.5, solid_capstyle="butt")
        axes.annotate(f" {shown:.0f}", (max(values), row), va="center")
    axes.set_yticks(range(len(bars)), [RIVALS[rival].title for rival in bars])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    floors = {rival: middle(works["rush"], rival, "per second") for rival in FLOORS if works.get("rush", {}).get(rival)}
    end = 1.4 * max([*(max(values) for values in bars.values()), floors.get("decode-multipart", 0), 1])
    axes.set_xlim(0, end)
    for row, (rival, floor) in enumerate(floors.items()):
        text = f"{RIVALS[rival].title}: {floor:.0f}"
        if floor < end:
            axes.axvline(floor, color=FLOOR, linestyle="--", linewidth=1)
            axes.annotate(f"{text} ", (floor, -0.5), ha="right", va="top", color=FLOOR, fontsize=9)
        else:  # a line so far out would leave no room for the bars
            axes.annotate(f"{text} →", (end, row), ha="right", va="center", color=FLOOR, fontsize=9)
    axes.set_xlabel("submissions a second, each followed by a list; black: least to most of the rounds")
    axes.set_title("Deadline rush: 50 clients, 100 KiB in 3 files", loc="left")


def _throughput(rival: str, works: dict[str, Rounds]) -> list[float]:
    rounds = works.get("slow_disk" if rival.endswith("-slow") else "rush", {}).get(rival, ())
    return [figures["per second"] for figures in rounds]


def _reader(axes: Any, rounds: Rounds) -> None:
    rivals = [rival for rival in rounds if rounds[rival]]
    for offset, rival in enumerate(rivals):
        for row, situation in enumerate(SITUATIONS):
            height = row + 0.2 * (offset - (len(rivals) - 1) / 2)
            low, high = (middle(rounds, rival, f"{situation} {which}") for which in ("p50", "p99"))
            colour = _colour(rival)
            label = RIVALS[rival].title if row == 0 else None
            marker = "s" if rival == "ours-2" else "o"
            axes.plot([low, high], [height, height], color=colour, linewidth=1, alpha=0.6)
            axes.plot([low], [height], marker, color=colour, markerfacecolor="white")
            axes.plot([high], [height], marker, color=colour, label=label, linestyle="none")
            axes.annotate(f"{high:.0f}", (high, height), xytext=(7, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(SITUATIONS)), list(SITUATIONS.values()))
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.invert_yaxis()
    axes.set_xlabel("wait for the list of assignments, ms; hollow: median, filled: 99th percentile")
    axes.set_title("A reader meanwhile", loc="left")
    if rivals:
        axes.legend(frameon=False, loc="best")


def _colour(rival: str) -> str:
    return THEIRS if rival.startswith("ngshare") else OURS


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text())["works"], Path(sys.argv[2]))
