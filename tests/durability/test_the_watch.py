"""The watch misses no call: what strace sees of every verb below the volume, the watch has seen too.

Otherwise a call that it does not know (a new way to write, a function of the C library) would never be disturbed, and
`test_every_step.py` would go on to succeed.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.durability.traced import BEGIN, END

pytestmark = pytest.mark.durability

PATIENCE = 120
CALL = re.compile(r"\d+ +(\w+)\((.*)")
# A descriptor with its path, or a path.
PLACE = re.compile(r'(?:AT_FDCWD|\d+)<([^>]*)>|"([^"]*)"')
WRITING = re.compile("O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
# What the system calls them, and what the watch does; all others only read.
NAMES = {
    "openat": "open", "openat2": "open", "open": "open", "creat": "open",
    "mkdir": "mkdir", "mkdirat": "mkdir", "rmdir": "rmdir",
    "unlink": "unlink", "unlinkat": "unlink",
    "rename": "rename", "renameat": "rename", "renameat2": "rename",
    "link": "link", "linkat": "link", "symlink": "symlink", "symlinkat": "symlink", "mknodat": "mknod",
    "chmod": "chmod", "fchmodat": "chmod", "fchmodat2": "chmod", "fchmod": "fchmod",
    "chown": "chown", "fchownat": "chown", "lchown": "chown", "fchown": "fchown", "utimensat": "utime",
    "truncate": "truncate", "ftruncate": "ftruncate", "fallocate": "posix_fallocate",
    "write": "write", "writev": "writev", "pwrite64": "pwrite", "pwritev": "pwritev", "pwritev2": "pwritev",
    "copy_file_range": "copy_file_range", "splice": "splice", "ioctl": "ioctl",
    "fsync": "fsync", "fdatasync": "fdatasync", "syncfs": "syncfs", "sync_file_range": "sync_file_range",
    "flock": "flock", "setxattr": "setxattr", "fsetxattr": "setxattr",
}  # fmt: skip
SAME = {"remove": "unlink", "replace": "rename", "lchown": "chown"}
ONLY_ASK = ("TCGETS", "FIONBIO", "FIOCLEX")


def unescaped(text: str) -> str:
    """A path as strace writes it: bytes outside ASCII are octal."""
    plain = re.sub(rb"\\([0-7]{1,3})", lambda found: bytes([int(found[1], 8)]), text.encode())
    return os.fsdecode(plain).removesuffix(" (deleted)")


def places(name: str, arguments: str) -> Iterator[str]:
    """The absolute paths that a call is about, in order."""
    folder = ""
    for descriptor, path in PLACE.findall(arguments):
        if path:
            yield os.path.join(unescaped(folder), unescaped(path))
            folder = ""
        elif name.endswith("at") or name in ("renameat2", "openat2", "fchmodat2"):
            folder = descriptor
        elif descriptor:
            yield unescaped(descriptor)


def traced_calls(log: str, root: str) -> Counter[tuple[str, ...]]:
    """The calls that change something below the folder, between the marks."""
    found: Counter[tuple[str, ...]] = Counter()
    between = False
    for line in log.splitlines():
        if f'"{BEGIN}"' in line or f'"{END}"' in line:
            between = BEGIN in line
        call = CALL.match(line)
        if not call or not between or call[1] not in NAMES:
            continue
        name, arguments = NAMES[call[1]], call[2]
        if (name == "open" and not WRITING.search(arguments)) or any(word in arguments for word in ONLY_ASK):
            continue
        if call[1] == "unlinkat" and "AT_REMOVEDIR" in arguments:
            name = "rmdir"
        below = [path[len(root) + 1 :] for path in places(call[1], arguments) if path.startswith(root + "/")]
        if below:
            key = (name, *below)
            found[key] += 1
    return found


@pytest.fixture
def strace(tmp_path: Path) -> str:
    program = shutil.which("strace")
    if program is None:
        pytest.skip("install strace (apt-get install strace)")
    tried = subprocess.run([program, "-o", str(tmp_path / "tried"), "true"], capture_output=True, timeout=PATIENCE)
    if tried.returncode:
        pytest.skip(f"strace may not trace here; allow ptrace (--cap-add SYS_PTRACE): {tried.stderr.decode()}")
    return program


def test_the_watch_sees_what_strace_sees(tmp_path: Path, strace: str) -> None:
    log, data, seen_file = tmp_path / "log", tmp_path / "data", tmp_path / "seen"
    command = [strace, "-f", "-y", "-s", "0", "-e", "trace=%file,%desc", "-o", str(log)]
    command += [sys.executable, "-m", "tests.durability.traced", str(data), str(seen_file)]
    here = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=here)
    assert done.returncode == 0, done.stderr
    traced = traced_calls(log.read_text(errors="surrogateescape"), os.path.realpath(data))
    seen = Counter((SAME.get(name, name), *paths) for name, *paths in json.loads(seen_file.read_text()))
    assert traced.total() > 200, "strace has seen the verbs"
    assert traced - seen == Counter()
    # And the other way round: the watch counts nothing that is no system call.
    assert seen - traced == Counter()
