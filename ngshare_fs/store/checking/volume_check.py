"""Looks whether a folder can serve as a volume, for whom and for how long; changes nothing that stays."""

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from ngshare_fs.check_result import CheckResult, clock_ahead, look_at_clock
from ngshare_fs.file_systems.mounted import file_system_of
from ngshare_fs.file_systems.several_machines import sharing_of
from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.store.errors import VolumeError
from ngshare_fs.store.files.unusable import nearest, remedy_for, user_name
from ngshare_fs.store.format import layout
from ngshare_fs.store.migrations.present_layout import check_layout
from ngshare_fs.store.secret import check_cookie_secret
from ngshare_fs.store.writing import durability
from ngshare_fs.store.writing.flushers import flush_file

LEAST_BYTES = 2**30
LEAST_SHARE = 0.05
CLOCKS_DIFFER_SECONDS = 2.0
TICK_SECONDS = 0.02


def look_at_volume(path: Path) -> list[CheckResult]:
    """Look at a volume's folder, its permissions, file system, locks, space, inodes and clock.

    Args:
        path: the folder; it need not be there, for the first start makes it.
    """
    root = os.path.abspath(path)
    try:
        return _look_inside(root)
    except FileNotFoundError:
        return [_not_there(root)]
    except VolumeError as error:
        return [CheckResult("volume", False, str(error))]
    except OSError as error:
        detail = f"{error.filename or root}: {error.strerror}; this runs as {user_name(os.geteuid())}"
        return [CheckResult("volume", False, detail, remedy_for(root, error))]


def _not_there(root: str) -> CheckResult:
    above = nearest(os.path.dirname(root))
    if os.path.isdir(above) and os.access(above, os.W_OK | os.X_OK):
        return CheckResult("volume", True, f"{root} is not there: the first start makes it")
    detail = f"{root} is not there, and {user_name(os.geteuid())} may not make it in {above}"
    return CheckResult(
        "volume", False, detail, "make it and let the server's user own it, or give --data another folder"
    )


def _look_inside(root: str) -> list[CheckResult]:
    entries = sorted(os.listdir(root))
    status = os.stat(root)
    is_one = layout.VOLUME_FILE in entries
    if is_one:
        check_layout(os.path.join(root, layout.VOLUME_FILE))
        check_cookie_secret(os.path.join(root, layout.COOKIE_SECRET))
    elif set(entries) - {"lost+found"}:
        detail = f"{root} holds something else ({', '.join(entries[:3])}) and no {layout.VOLUME_FILE}"
        return [CheckResult("volume", False, detail, "give --data an empty folder or a volume")]
    found = [CheckResult("volume", True, root if is_one else f"{root} is empty: the first start makes a volume of it")]
    owner = f"belongs to {user_name(status.st_uid)}, mode {status.st_mode & 0o7777:04o}"
    inside = (layout.COURSES, layout.TRASH, layout.LOCKS, layout.STAGING) if is_one else ()
    started = time.monotonic()
    with contextlib.ExitStack() as probes:
        # Each of them has to take files; what is only read is another thing that `verify` looks at.
        for folder in ("", *inside):
            probe = probes.enter_context(_probe(os.path.join(root, folder)))
        detail = f"{owner}; files were written and flushed in {(time.monotonic() - started) * 1000:.0f} ms"
        found.append(_permissions(root, status, detail))
        return [*found, _file_system(root), _locks(probe), *_room(root), _clock(root)]


def _permissions(root: str, status: os.stat_result, detail: str) -> CheckResult:
    if not status.st_mode & 0o007:
        return CheckResult("permissions", True, detail)
    if status.st_uid == os.geteuid():
        return CheckResult(
            "permissions", False, detail, f"everybody on this machine may look into it: chmod 0700 {root}"
        )
    # So is every fresh volume on Kubernetes: root's, open to read, the group's by `fsGroup`. Nobody else is in the pod.
    remedy = f"in a pod that is as it should be; elsewhere everybody may look into it: its owner can chmod 0770 {root}"
    return CheckResult("permissions", None, detail, remedy)


@contextlib.contextmanager
def _probe(folder: str) -> Iterator[str]:
    probe = os.path.join(folder, f"probe-{secrets.token_hex(8)}")
    try:
        durability.write_file(probe, b"probe")
        flush_file(probe)
        yield probe
    finally:
        with contextlib.suppress(OSError):
            os.unlink(probe)


def _file_system(root: str) -> CheckResult:
    mounted = file_system_of(root)
    if not mounted.kind:
        return CheckResult("file system", None, "the system does not say of what type it is")
    sharing = sharing_of(mounted)
    # Never wrong: nobody can see from here whether there is another machine.
    ok = True if sharing.may else None
    return CheckResult("file system", ok, in_one_line(f"{mounted}; {sharing.why}"), sharing.remedy)


def _locks(probe: str) -> CheckResult:
    remedy = "mount it with locks (NFSv4 rather than NFSv3 with nolock), or use another volume"
    with open(probe, "rb+") as one, open(probe, "rb+") as other:
        try:
            fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return CheckResult("locks", False, f"no flock: {error.strerror}", remedy)
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return CheckResult("locks", True, "flock holds: who comes second is refused")
    return CheckResult("locks", False, "flock does not hold: two had the same lock", remedy)


def _room(root: str) -> list[CheckResult]:
    room = os.statvfs(root)
    free, whole = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
    detail = f"{free / 2**30:.1f} GiB free of {whole / 2**30:.1f}"
    enough = free >= LEAST_BYTES and free >= LEAST_SHARE * whole
    found = [CheckResult("space", enough, detail, "make the volume larger, or empty the trash")]
    if room.f_files == 0:
        return [*found, CheckResult("inodes", True, "as many as there is space")]
    detail = f"{room.f_favail:,} free of {room.f_files:,}"
    enough = room.f_favail >= LEAST_SHARE * room.f_files
    return [
        *found,
        CheckResult("inodes", enough, detail, "each submitted file takes one: make a file system with more"),
    ]


def _clock(root: str) -> CheckResult:
    """The clock that dates files: on a network file system, the file server's."""
    asked = time.time()
    with _probe(root) as probe:
        # Local ones date files by the last tick of the system, some milliseconds ago.
        ahead = clock_ahead(os.stat(probe).st_mtime, TICK_SECONDS, asked, time.time())
    return look_at_clock("volume clock", "that of its file system", ahead, CLOCKS_DIFFER_SECONDS)
