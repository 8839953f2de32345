"""`python -m tests.durability.mount_options [OPTIONS ...]`: which options of an NFS mount two servers need to agree.

For each set of options a guest is started, in which two servers work on two mounts; what each row of the table says is
found by `guest/two_servers.py`. With `--speed` it is `guest/speed.py`, and what one server's calls cost. It takes some
minutes for a row, as root, with what tools/system_packages.sh installs.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.durability.guest import nfs
from tests.durability.guest.machine import python, run_in_guest, why_not_here

OPTIONS = (
    "rw", "sync", "nconnect=4", "noac", "actimeo=0", "lookupcache=none", "actimeo=0,lookupcache=none",
    "noac,lookupcache=none", "noac,lookupcache=none,nconnect=4",
)  # fmt: skip
SECONDS = 60.0
# Of what a guest needs beside the time in which clients are at work; the machine may be busy.
PATIENCE = 1800
Found = dict[str, Any]


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What to do."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.durability.mount_options", description="See docs/shared-volumes.md."
    )
    parser.add_argument("options", metavar="OPTIONS", nargs="*", help=f"of mount (default: {' '.join(OPTIONS)})")
    parser.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help="for which clients are at work in each row (default: %(default)g)",
    )
    parser.add_argument(
        "--disk", choices=nfs.DISKS, default=nfs.DISK, help="what the server exports (default: %(default)s)"
    )
    parser.add_argument("--delay", type=float, default=0, help="milliseconds that each packet to a client takes")
    parser.add_argument(
        "--first-fault",
        action="store_true",
        help="measure nothing else, and end a row when a server has said what is wrong",
    )
    parser.add_argument("--speed", action="store_true", help="measure what calls cost, not whether servers agree")
    parser.add_argument("--json", type=Path, help="add everything that is found to this file, a line for each row")
    parser.add_argument("--show", type=Path, metavar="FILE", help="print the tables of such a file, start nothing")
    return parser.parse_args(arguments)


def rows(found: Iterable[Found]) -> list[str]:
    """The table of what goes wrong."""
    lines = [
        "| options | disk | things judged | that no order explains | wrong answers (5xx) | submissions lost | "
        "changes of a roster lost | a submission, a roster, a release, a course seen after |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in found:
        judged, at_once, seen = row["judged"], row.get("roster at once"), row.get("seconds until seen", {})
        cells = [
            f"`{row['options']}`",
            row["disk"],
            f"{judged['judged']} in {judged['seconds']} s, {judged['operations']:,} operations",
            f"{judged.get('unexplained', 0)}"
            + "".join(f", {judged[odd]} {odd}" for odd in ("undecided", "torn") if odd in judged),
            f"{judged.get('wrong answers', 0)} ({judged.get('5xx', 0)})",
            str(judged.get("submissions lost", 0)),
            f"{at_once['lost']} of {at_once['made']}" if at_once else "not measured",
            ", ".join(f"{seconds:g} s" for seconds in seen.values()) or "not measured",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def costs(found: Sequence[Found]) -> list[str]:
    """The table of what calls cost: a row for each, a column for each set of options."""
    lines = [f"| | {' | '.join(row['options'] for row in found)} |", f"| --- |{' --- |' * len(found)}"]
    for what in found[0]["costs"]:
        cells = [f"{row['costs'][what]['ms']:g} ms, {row['costs'][what]['calls']:g}" for row in found]
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return lines


def show(found: Sequence[Found]) -> None:
    """Print the tables of what was found."""
    for has, table in (("judged", rows), ("costs", costs)):
        of_this = [row for row in found if has in row]
        if of_this:
            print("\n".join([*table(of_this), ""]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Try each row and print what was found."""
    chosen = read_arguments(arguments)
    if chosen.show:
        return show([json.loads(line) for line in chosen.show.read_text().splitlines()])
    reason = why_not_here(*nfs.PROGRAMS)
    if reason is not None:
        sys.exit(reason)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for number, options in enumerate(chosen.options or OPTIONS):
            how = (chosen.disk, str(chosen.delay))
            if chosen.speed:
                command = python("tests.durability.guest.speed", options, *how)
            else:
                only = ["first-fault"] if chosen.first_fault else []
                command = python("tests.durability.guest.two_servers", options, str(chosen.seconds), *how, *only)
            output = run_in_guest(command, Path(folder, str(number)), PATIENCE + 5 * chosen.seconds)
            line = output.splitlines()[-1]
            found.append(json.loads(line))
            if chosen.json:
                with chosen.json.open("a") as file:
                    file.write(f"{line}\n")
            print(line, file=sys.stderr, flush=True)
    show(found)
    return None


if __name__ == "__main__":
    # Ended from outside, it ends its guest all the same.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    main()
