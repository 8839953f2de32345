"""A machine is silent between its look at a roster and its rename, while another one changes the same roster.

    python -m tests.durability.guest.lost_lock guarded|unguarded

in a guest; prints what the machine that came back says of its change, and who is on the roster then, as JSON.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from ngshare_fs.store import Person, Volume, course, roster
from ngshare_fs.store.errors import LockLost, LockTimeout
from ngshare_fs.store.format import layout
from ngshare_fs.store.writing.locks import Locks
from tests.durability.guest.machine import python
from tests.durability.guest.nfs import LEASE_SECONDS, Nfs

COURSE = "NBG 101"
PATIENCE = 10 * LEASE_SECONDS


def main(how: str) -> None:
    nfs = Nfs()
    here, there = (nfs.mount(client) / "data" for client in ("a", "b"))
    with contextlib.closing(Volume.open(here)) as volume:
        course.create(volume, COURSE, ["kevin"])
        roster.set_student(volume, COURSE, "before", Person())
        command = python("tests.durability.guest.lost_lock", how, str(there))
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sleeper:
            assert sleeper.stdin is not None
            assert sleeper.stdout is not None
            assert sleeper.stdout.readline() == "about to rename\n"
            nfs.silence("b")
            began = time.monotonic()
            while True:
                try:
                    roster.set_student(volume, COURSE, "theirs", Person())
                    break
                except LockTimeout:
                    assert time.monotonic() - began < PATIENCE, "the lock is never free"
            waited = time.monotonic() - began
            nfs.hear("b")
            sleeper.stdin.write("go on\n")
            sleeper.stdin.flush()
            said = sleeper.stdout.readline().strip()
        students = sorted(roster.of(volume, COURSE).students)
    print(json.dumps({"said": said, "students": students, "seconds until the lock was free": round(waited, 1)}))


def sleep_in_the_middle(how: str, data: str) -> None:
    """The machine that is silent for a while."""
    volume = Volume.join(data)
    if how == "unguarded":
        volume.locks = Locks(os.path.join(data, layout.LOCKS))
    left = [None]

    def last_check() -> None:
        if left and any(Path(data).glob(f"{layout.STAGING}/{volume.staging.name}/*")):  # directly before the rename
            left.pop()
            print("about to rename", flush=True)
            sys.stdin.readline()

    try:
        roster.set_student(volume, COURSE, "ours", Person(), last_check)
        print("done", flush=True)
    except LockLost as error:
        # As a client does that is told to try again.
        roster.set_student(volume, COURSE, "ours", Person())
        print(f"refused: {error}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sleep_in_the_middle(sys.argv[1], sys.argv[2])
    else:
        main(sys.argv[1])
