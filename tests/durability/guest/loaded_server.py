"""A server whose volume lies on an NFS server, and clients at work on it, until their time is over.

    python -m tests.durability.guest.loaded_server EXPORT SECONDS DISK RECORD HISTORY

in a guest. EXPORT are the options of the export; DISK is what the NFS server has its file system on, and RECORD the
file in which that keeps its own history: how much of that there was, is the time of each write. HISTORY gets all
writes.
"""

import os
import pickle
import sys
import threading
import time
from pathlib import Path

from tests.durability.guest.nfs import EXPORT, Nfs
from tests.durability.history import History
from tests.durability.load import load, prepare
from tests.durability.servers import serving

# Of a single server: more than what it needs would hide what it does not do.
MOUNT_OPTIONS = "rw"


def main(export: str, seconds: float, disk: Path, record: Path, file: Path) -> None:
    """Make the load, and write down what was acknowledged when."""
    nfs = Nfs(EXPORT.replace("sync", export), file=disk)
    guard = threading.Lock()

    def now() -> int:
        # A file of this machine that two look at meanwhile is as large to the second one as it was to the first.
        with guard:
            return record.stat().st_size

    history = History(now)
    with serving(nfs.mount("a", MOUNT_OPTIONS) / "data", Path("/tmp/log")) as server:
        prepare(server.url, history)
        with load(server.url, history):
            time.sleep(seconds)
    assert history.refused == []
    with file.open("wb") as output:
        pickle.dump(history.writes, output)
        output.flush()
        os.fsync(output.fileno())


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), *map(Path, sys.argv[3:]))
