"""On which file system a folder lies: its type, its device or server, and the options that it is mounted with."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

# Of the kernel's NFS client. With `Y` it takes a lock again that it has lost, and tells nobody that somebody else may
# have had it meanwhile.
_TAKES_LOST_LOCKS = "/sys/module/nfs/parameters/recover_lost_locks"
TAKES_LOST_LOCKS = "nfs.recover_lost_locks=Y"


@dataclass(frozen=True)
class FileSystem:
    """A mounted file system; all is empty where nobody can tell.

    Args:
        kind: its type, for example `ext4`, `nfs4` or `fuse.glusterfs`.
        source: its device or server, for example `192.0.2.1:/exchange`.
        options: those of the mount, of the file system, and for NFS `TAKES_LOST_LOCKS` where the kernel does that.
    """

    kind: str = ""
    source: str = ""
    options: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.kind} of {self.source}" if self.source not in ("", "none", self.kind) else self.kind


def file_system_of(folder: str) -> FileSystem:
    """The file system that a folder lies on.

    Raises:
        OSError: the folder cannot be opened.
    """
    # The number of the mount that a descriptor leads to is exact, whatever is mounted over what; the longest mount
    # point above a path may be of a mount that another one hides.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as of_descriptor:
            number = re.search(r"^mnt_id:\s*(\d+)$", of_descriptor.read(), re.MULTILINE)
        # The kernel writes names of any bytes there, carriage returns among them.
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace", newline="\n") as mounts:
            found = FileSystem() if number is None else mount_in(mounts, number[1])
    except OSError:
        return FileSystem()  # no /proc
    finally:
        os.close(descriptor)
    if found.kind == "nfs4" and _takes_lost_locks():
        return replace(found, options=found.options | {TAKES_LOST_LOCKS})
    return found


def _takes_lost_locks() -> bool:
    try:
        with open(_TAKES_LOST_LOCKS, encoding="ascii") as parameter:
            return parameter.read().strip() == "Y"
    except OSError:
        return False


def mount_in(mounts: Iterable[str], number: str) -> FileSystem:
    """The mount with a number.

    Args:
        mounts: lines of /proc/self/mountinfo; proc(5) says what is in them.
    """
    for line in mounts:
        of_mount, _, of_file_system = line.rstrip("\n").partition(" - ")
        fields = of_mount.split(" ")
        if fields[0] == number:
            kind, source, options = [*of_file_system.split(" "), "", ""][:3]
            return FileSystem(kind, _unescaped(source), frozenset(f"{fields[5]},{options}".split(",")))
    return FileSystem()


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
