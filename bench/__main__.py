"""`python -m bench [WORK ...]`: how fast it is, beside ngshare 0.6.0 and the least that a server can do.

Rounds are interleaved over the rivals, so that a busy minute of the machine hits all of them.
"""

import argparse
import errno
import importlib.util
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import plot, table
from bench.cgroup import NoCgroup
from bench.figures import Rounds
from bench.launch import ROOT
from bench.rivals import RIVALS, Rival, python_of_this_bench
from bench.slow_flush import NoCompiler
from bench.works import IDLE_SECONDS, KEYS, Options, Work, make
from tests.others.ngshare_reference import NotInstallable

ROUNDS = 5
QUICK = 0.1
# Lessons and deadlines do not begin in the second in which their data was written. A server may take for granted what
# has not changed for a while, and ours does after three seconds.
AGE_SECONDS = 4


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What to do."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="See docs/speed.md.")
    parser.add_argument("works", metavar="WORK", nargs="*", help=f"one of {', '.join(KEYS)}; none means all")
    parser.add_argument("--rounds", type=_rounds, help=f"rounds of each work (default: {ROUNDS}, quick: 1)")
    parser.add_argument("--quick", action="store_true", help=f"a quick look: one round, {QUICK} of the work")
    parser.add_argument("--scale", type=_share, default=1.0, help="do only this share of each work; proves nothing")
    parser.add_argument("--rivals", default="", help=f"only these, separated by commas: {', '.join(RIVALS)}")
    parser.add_argument("--patient", action="store_true", help="wait for what takes ngshare minutes")
    parser.add_argument(
        "--idle", type=_seconds, default=IDLE_SECONDS, help="before a cold start, in seconds (default: %(default)g)"
    )
    parser.add_argument("--scratch", type=Path, help="a folder on a disk for volumes (default: below .cache)")
    parser.add_argument("--json", type=Path, help="write all figures to this file; other works in it stay")
    parser.add_argument("--show", type=Path, metavar="FILE", help="print the tables of such a file, measure nothing")
    parser.add_argument("--plot", type=Path, help="draw the picture of docs/speed.md into this file")
    parsed = parser.parse_args(arguments)
    for unknown in {*parsed.works} - {*KEYS}:
        parser.error(f"{unknown!r} is no work; there are {', '.join(KEYS)}")
    for unknown in {*filter(None, parsed.rivals.split(","))} - {*RIVALS}:
        parser.error(f"{unknown!r} is no rival; there are {', '.join(RIVALS)}")
    if parsed.quick:
        parsed.scale = min(parsed.scale, QUICK)
    parsed.rounds = parsed.rounds or (1 if parsed.quick else ROUNDS)
    # What cannot be done at the end is said before anything is measured.
    for file in filter(None, (parsed.json, parsed.plot)):
        if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
            parser.error(f"{file} cannot be written")
    if not parsed.show and importlib.util.find_spec("nbformat") is None:
        parser.error("what students hand in is made with nbformat: pip install -e '.[bench]'")
    if parsed.plot and importlib.util.find_spec("matplotlib") is None:
        parser.error("--plot draws with matplotlib: pip install -e '.[bench]'")
    for file in filter(None, (parsed.show, parsed.json)):
        if file is parsed.show or file.exists():
            try:
                assert {"about", "works"} <= json.loads(file.read_text()).keys()
            except OSError as error:
                parser.error(f"{file}: {error.strerror}")
            except (AssertionError, AttributeError, ValueError):
                parser.error(f"{file} was not written by --json")
    return parsed


def _rounds(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _seconds(text: str) -> float:
    try:
        return max(float(text), 0.0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds") from None


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share above 0, up to 1")
    return share


@contextmanager
def scratch(chosen: Path | None) -> Iterator[Path]:
    """A folder for volumes, removed at the end."""
    parent = chosen or ROOT / ".cache"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="bench-", dir=parent))
    except OSError as error:
        sys.exit(f"{parent} cannot be used for volumes: {error.strerror}; give --scratch another folder")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def told_of_a_full_disk(folder: Path) -> Iterator[None]:
    """Ends the program with a sentence where the disk has no room, or no inodes, for volumes."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        sys.exit(
            f"{folder.parent} has no room left: volumes take up to 2 GB and a million files. "
            "Give --scratch a folder on a disk with more"
        )


class Bench:
    """One run.

    Args:
        folder: where volumes lie.
    """

    def __init__(self, folder: Path, rounds: int) -> None:
        self._folder, self._rounds = folder, rounds
        self.wrong: list[str] = []

    def play(self, key: str, work: Work, rivals: Sequence[Rival]) -> Rounds:
        """All rounds of a work."""
        found: dict[str, list[dict[str, float]]] = {rival.key: [] for rival in rivals}
        able = list(rivals)
        for number in range(self._rounds):
            # The order changes, so that nobody always comes right after the one who leaves a busy disk.
            for rival in able[number % len(able) :] + able[: number % len(able)]:
                try:
                    found[rival.key].append(self._round(key, work, rival, number))
                except (NotInstallable, NoCompiler, NoCgroup) as error:
                    say(f"{key}: without {rival.title}: {error}")
                    able = [other for other in able if other is not rival]
            if not able:
                break
        for rival in rivals:
            self._remove(key, work, rival)
        return found

    def _round(self, key: str, work: Work, rival: Rival, number: int) -> dict[str, float]:
        started = time.monotonic()
        folders = {}
        is_new = False
        for name, sample in work.samples(rival).items():
            folders[name] = self._place(key, rival, name)
            if not folders[name].exists():
                rival.prepare(folders[name], sample)
                is_new = True
        if is_new and work.options.scale == 1:
            os.sync()  # nor have they to be written to the disk by whoever flushes first
            time.sleep(AGE_SECONDS)
        busy = os.getloadavg()[0]
        figures, loads = work.measure(rival, folders)
        figures["load average"] = busy
        if work.fresh:
            self._remove(key, work, rival)
        for measured in loads:
            self.wrong += [f"{key}, {rival.title}: {what}" for what in measured.wrong]
        say(f"{key} {number + 1}/{self._rounds} {rival.key}: {time.monotonic() - started:.1f} s")
        return figures

    def _place(self, key: str, rival: Rival, name: str) -> Path:
        return self._folder / "-".join(filter(None, (key, rival.key, name)))

    def _remove(self, key: str, work: Work, rival: Rival) -> None:
        for name in work.samples(rival):
            shutil.rmtree(self._place(key, rival, name), ignore_errors=True)


def say(what: str) -> None:
    """Tell how far it is, apart from the tables."""
    print(what, file=sys.stderr, flush=True)


def keep(file: Path, about: dict[str, str], key: str, rounds: Rounds) -> None:
    """Write a work's figures into a file, in place of its earlier ones; those of other works stay."""
    kept = json.loads(file.read_text()) if file.exists() else {"about": {}, "works": {}}
    kept["about"][key] = about
    kept["works"][key] = rounds
    file.write_text(json.dumps(kept, indent=1) + "\n")


def show(works: dict[str, Work], results: dict[str, Rounds]) -> None:
    """Print all targets."""
    print("### All targets\n\n" + table.targets([(works[key], results[key]) for key in works if key in results]))


def show_file(file: Path, picture: Path | None) -> int:
    """Print the tables of an earlier run, and draw its picture if one is wanted."""
    kept = json.loads(file.read_text())
    results: dict[str, Rounds] = kept["works"]
    works = {key: make(key, Options()) for key in KEYS if key in results}
    for key, work in works.items():
        print(table.of_work(work, results[key]))
    show(works, results)
    for key, about in kept["about"].items():
        print(f"{key}: {', '.join(f'{name} {value}' for name, value in about.items())}")
    if picture:
        plot.draw(results, picture)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where an answer was wrong."""
    chosen = read_arguments(arguments)
    if chosen.show:
        return show_file(chosen.show, chosen.plot)
    options = Options(chosen.scale, chosen.patient, chosen.idle)
    asked = list(filter(None, chosen.rivals.split(",")))
    about = {**python_of_this_bench(), "scale": f"{options.scale:g}", "rounds": str(chosen.rounds)}
    results: dict[str, Rounds] = {}
    works = {key: make(key, options) for key in chosen.works or KEYS}
    with scratch(chosen.scratch) as folder, told_of_a_full_disk(folder):
        bench = Bench(folder, chosen.rounds)
        for key, work in works.items():
            rivals = [RIVALS[rival] for rival in work.rivals if not asked or rival in asked]
            if rivals:
                results[key] = bench.play(key, work, rivals)
                print(table.of_work(work, results[key]), flush=True)
                if chosen.json:
                    keep(chosen.json, about, key, results[key])
            else:
                say(f"{key}: none of these rivals does it; those who do are {', '.join(work.rivals)}")
    if len(results) > 1:
        show(works, results)
    if options.scale != 1:
        print(f"Only {options.scale:.1%} of each work was done: this proves nothing.")
    for what in bench.wrong:
        print(f"WRONG ANSWER: {what}")
    if chosen.plot:
        plot.draw(results, chosen.plot)
    return 1 if bench.wrong else 0


if __name__ == "__main__":
    # Ended from outside, it stops its servers and removes its volumes all the same.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    sys.exit(main())
