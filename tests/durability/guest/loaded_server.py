"""A server whose volume lies on an NFS server, and clients at work on it, until their time is over; then another one,
whose volume lies where the NFS server acknowledges what it has in memory alone.

    python -m tests.durability.guest.loaded_server SECONDS DISK RECORD HISTORIES

in a guest. DISK is what the NFS server has its file system on, and RECORD the file in which that keeps its own history:
how much of that there was, is the time of each write. HISTORIES gets all writes of the first server, in the folder
`sync`, and of the second one, in `async`.
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


def main(seconds: float, disk: Path, record: Path, file: Path) -> None:
    """Make the load, and write down what was acknowledged when."""
    nfs = Nfs(file=disk)
    guard = threading.Lock()

    def now() -> int:
        # A file of this machine that two look at meanwhile is as large to the second one as it was to the first.
        with guard:
            return record.stat().st_size

    histories = {how: History(now) for how in ("sync", "async")}
    place = nfs.mount("a", MOUNT_OPTIONS)
    with serving(place / "sync/data", Path("/tmp/log")) as server:
        prepare(server.url, histories["sync"])
        with load(server.url, histories["sync"]):
            time.sleep(seconds)
    with nfs.exported(EXPORT.replace("sync", "async")), serving(place / "async/data", Path("/tmp/log")) as server:
        prepare(server.url, histories["async"])
    assert [history.refused for history in histories.values()] == [[], []]
    with file.open("wb") as output:
        pickle.dump({how: history.writes for how, history in histories.items()}, output)
        output.flush()
        os.fsync(output.fileno())


if __name__ == "__main__":
    main(float(sys.argv[1]), *map(Path, sys.argv[2:]))
