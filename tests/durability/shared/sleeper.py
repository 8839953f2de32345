"""A process that changes a roster, and stops directly before its rename until it is told to go on.

    python -m tests.durability.shared.sleeper guarded|unguarded DATA COURSE

Says `about to rename`, waits for a line, and says what came of it; then tries once more, as a client does that is told
to, and says that as well.
"""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from ngshare_fs.store import Person, Volume, course, roster
from ngshare_fs.store.errors import LockTimeout, StoreError
from ngshare_fs.store.format import layout
from tests.durability.shared.volume import Machine
from tests.waiting import PATIENCE

DONE, REFUSED = "done", "refused: "
WAYS = ("guarded", "unguarded")


def while_it_slept(volume: Volume, machine: Machine, data: Path) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Let a machine fall silent in the middle of its changes, change the same rosters, and let it come back.

    Args:
        volume: as this machine has it.
        machine: the other one.
        data: the same volume, as that one has it.

    Returns:
        what it says of its changes, and who is on the rosters then; both guarded and unguarded.
    """
    with ExitStack() as stack:
        sleepers = {}
        for how in WAYS:
            course.create(volume, how, ["kevin"])
            roster.set_student(volume, how, "before", Person())
            command = [sys.executable, "-m", __name__, how, str(data), how]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.enter_context(process)
            stack.callback(process.kill)
            sleepers[how] = process
        for process in sleepers.values():
            assert process.stdout is not None
            assert process.stdout.readline() == "about to rename\n"
        stack.callback(machine.come_back)  # first of all, else nothing that uses its mount would end
        machine.fall_silent()
        began = time.monotonic()
        for how in WAYS:
            _change(volume, how, began + PATIENCE)
        print(f"the locks were free after {time.monotonic() - began:.1f} s")
        machine.come_back()
        said = {how: process.communicate("go on\n", PATIENCE)[0].splitlines() for how, process in sleepers.items()}
    return said, {how: sorted(roster.of(volume, how).students) for how in WAYS}


def _change(volume: Volume, of_course: str, deadline: float) -> None:
    while True:
        try:
            roster.set_student(volume, of_course, "theirs", Person())
            return
        except LockTimeout:
            assert time.monotonic() < deadline, "the lock is never free"


def main(how: str, data: str, of_course: str) -> None:
    volume = Volume.join(data)
    if how == "unguarded":
        volume.locks.check_held = lambda: None  # type: ignore[method-assign]
    left = [None]

    def last_check() -> None:
        if left and any(Path(data).glob(f"{layout.STAGING}/{volume.staging.name}/*")):  # directly before the rename
            left.pop()
            print("about to rename", flush=True)
            sys.stdin.readline()

    for name in ("ours", "ours, too"):
        try:
            roster.set_student(volume, of_course, name, Person(), last_check)
        except (StoreError, OSError) as error:
            print(f"{REFUSED}{error}", flush=True)
        else:
            print(DONE, flush=True)
    os._exit(0)  # what would be let go of may be gone


if __name__ == "__main__":
    main(*sys.argv[1:])
