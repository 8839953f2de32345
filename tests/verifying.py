"""What `verify` says of a volume, and how it is left."""

import hashlib
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ngshare_fs.store.checking.findings import Finding
from ngshare_fs.store.checking.verify import verify_volume

NOBODY = 65534


def codes(root: Path) -> list[str]:
    return [finding.code for finding in verify_volume(root)]


def everything(root: Path) -> dict[str, tuple[object, ...]]:
    """All that can be known of a tree without changing it."""
    found: dict[str, tuple[object, ...]] = {}
    for folder, _, files in os.walk(root):
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            status = path.lstat()
            content = hashlib.md5(path.read_bytes()).hexdigest() if stat.S_ISREG(status.st_mode) else ""
            found[str(path)] = (status.st_ino, status.st_mode, status.st_mtime_ns, status.st_ctime_ns, content)
    return found


@contextmanager
def somebody_else_in(root: Path) -> Iterator[Path]:
    """As a user for whom modes count (for root they do not); inside, so that the folders above need not be ours."""
    before = Path.cwd()
    os.chdir(root)
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
    try:
        yield Path()
    finally:
        os.seteuid(os.getuid())
        os.chdir(before)


@pytest.fixture(autouse=True)
def removable(tmp_path: Path) -> Iterator[None]:
    """Let whoever is not root remove what a test made unreadable."""
    yield
    for folder, folders, _ in os.walk(tmp_path):
        for name in folders:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755)


def found_in(root: Path) -> list[Finding]:
    with somebody_else_in(root) as inside:
        return list(verify_volume(inside))


class Verifying:
    """Checks a volume again and again, in a thread.

    Args:
        root: its folder.
    """

    def __init__(self, root: Path) -> None:
        self.findings: list[str] = []
        self.rounds = 0
        self._root = root
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._verify)

    def __enter__(self) -> "Verifying":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _verify(self) -> None:
        rest = 0.0
        while not self._over.wait(rest):  # the others of this process are to have their turn
            began = time.monotonic()
            self.findings += map(str, verify_volume(self._root))
            self.rounds += 1
            rest = time.monotonic() - began
