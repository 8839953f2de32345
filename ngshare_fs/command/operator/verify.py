"""`ngshare-fs verify`: check a data folder."""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ngshare_fs.command.operator.data_folder import DONE, SOMETHING_LEFT, add_data, add_json, data_folder
from ngshare_fs.settings import SettingsError
from ngshare_fs.terminal.progress import progress
from ngshare_fs.terminal.saying import counted, say
from ngshare_fs.terminal.table import size_in_words

if TYPE_CHECKING:
    from ngshare_fs.store.checking.findings import Finding
    from ngshare_fs.store.checking.tally import Tally

HELP = "check a data folder"
DESCRIPTION = (
    "Check a data folder: one line for each finding. It changes nothing, and leaves word of what it found to the "
    "server's metrics. Exit code 0: no findings; 1: findings; 2: it could not be checked."
)
MOST_JOBS = 64


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its options."""
    add_data(parser)
    parser.add_argument("--course", metavar="NAME", help="only this course, without what of it is in the trash")
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=_jobs,
        default=default_jobs(),
        help=f"how many files to read side by side (default: {default_jobs()} on this machine)",
    )
    add_json(parser)


def default_jobs() -> int:
    """One for each processor and, since they wait for the disk, some more; not so many that a disk only seeks."""
    return min(4, len(os.sched_getaffinity(0)) + 2)


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_JOBS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MOST_JOBS}")
    return int(text)


def run(given: argparse.Namespace) -> int:
    """Check, and print a line for each finding.

    Returns:
        The exit code: 0, or 1 where there are findings.

    Raises:
        SettingsError: there is no folder to check, or it cannot be checked.
    """
    folder = data_folder(given)
    from ngshare_fs.store import VolumeError
    from ngshare_fs.store.checking.tally import Tally
    from ngshare_fs.store.checking.verify import bytes_to_check, verify_volume
    from ngshare_fs.store.errors import CourseNotFound
    from ngshare_fs.store.upkeep.last_runs import leave_outcome

    counts: Counter[str] = Counter()
    began = time.monotonic()
    try:
        with progress("verify", lambda: bytes_to_check(folder, given.course)) as told:
            tally = Tally(told)
            findings = counted_by_code(verify_volume(folder, given.course, given.jobs, tally), counts)
            found = _print_json(findings, tally, began) if given.json else _print(findings, tally, began)
    except CourseNotFound:
        raise SettingsError(f"--course: there is no course {given.course!r} in {folder}") from None
    except (VolumeError, OSError) as error:
        raise SettingsError(str(error)) from None
    if given.course is None:
        leave_outcome(folder, counts)
    return SOMETHING_LEFT if found else DONE


def counted_by_code(findings: "Iterable[Finding]", counts: Counter[str]) -> "Iterator[Finding]":
    """The findings as they come; those that are no mere notes are counted."""
    for finding in findings:
        if not finding.defect.is_note:
            counts[finding.code] += 1
        yield finding


def _print(findings: Iterable["Finding"], tally: "Tally", began: float) -> int:
    found = 0
    for finding in findings:
        say(f"{finding.code} {finding.path}: {finding.message}")
        found += not finding.defect.is_note
    if not found:
        say("no findings")
    if sys.stderr is not None and sys.stderr.isatty():
        read = f"{counted(tally.files, 'file')}, {size_in_words(tally.bytes)}"
        say(f"checked {read} in {time.monotonic() - began:.1f} s", sys.stderr)
    return found


def _print_json(findings: Iterable["Finding"], tally: "Tally", began: float) -> int:
    """Print one document, as it is found: a broken volume may have more findings than memory has room for."""
    notes = []
    found = 0
    print('{"findings": [', end="")
    for finding in findings:
        entry = {
            "code": finding.code,
            "path": finding.path,
            "message": finding.message,
            "remedy": finding.defect.remedy,
        }
        if finding.defect.is_note:
            notes.append(entry)
            continue
        print("," if found else "", json.dumps(entry), sep="\n", end="")
        found += 1
    sums = {"files": tally.files, "bytes": tally.bytes, "seconds": round(time.monotonic() - began, 3)}
    print("\n],", json.dumps({"notes": notes, **sums})[1:])
    return found
