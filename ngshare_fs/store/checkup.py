"""Looks whether a folder can serve as a volume, and for how long; changes nothing that stays."""

import contextlib
import fcntl
import os
import secrets
import stat
import time
from pathlib import Path

from ngshare_fs.observation import Observation
from ngshare_fs.store import durability, layout
from ngshare_fs.store.flushers import flush_file
from ngshare_fs.store.volume import user_name

LEAST_BYTES = 2**30
LEAST_SHARE = 0.05
CLOCKS_DIFFER_SECONDS = 2.0


def look_at_volume(path: Path) -> list[Observation]:
    """Look at a volume's folder, its permissions, locks, space, inodes and clock."""
    root = os.path.abspath(path)
    try:
        status = os.stat(root)
    except OSError as error:
        return [Observation("volume", False, f"{root}: {error.strerror}", "mount it, or give --data another folder")]
    if not stat.S_ISDIR(status.st_mode):
        return [Observation("volume", False, f"{root} is not a folder", "give --data a folder")]
    is_one = os.path.exists(os.path.join(root, layout.VOLUME_FILE))
    if not is_one and (entries := sorted(os.listdir(root))):
        saw = f"{root} holds something else ({', '.join(entries[:3])}) and no {layout.VOLUME_FILE}"
        return [Observation("volume", False, saw, "give --data an empty folder or a volume")]
    found = [Observation("volume", True, root if is_one else f"{root} is empty: the first start makes a volume of it")]
    owner = f"belongs to {user_name(status.st_uid)}, mode {status.st_mode & 0o7777:04o}"
    as_whom = f"{owner}; this runs as {user_name(os.geteuid())}"
    private = os.path.join(root, layout.LOCKS)
    probe = os.path.join(private if os.path.isdir(private) else root, f"probe-{secrets.token_hex(8)}")
    started = time.monotonic()
    try:
        durability.write_file(probe, b"probe")
        flush_file(probe)
        taken = time.monotonic() - started
        found.append(
            Observation("permissions", True, f"{owner}; a file was written and flushed in {taken * 1000:.0f} ms")
        )
        found += [_locks(probe), *_room(root), _clock(probe)]
    except OSError as error:
        remedy = "let the server's user own the folder (chown -R), on a volume mounted for writing with room left"
        found.append(Observation("permissions", False, f"{error.strerror}; {as_whom}", remedy))
        found += _room(root)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(probe)
    return found


def _locks(probe: str) -> Observation:
    remedy = "mount it with locks (NFSv4 rather than NFSv3 with nolock), or use another volume"
    with open(probe, "rb+") as one, open(probe, "rb+") as other:
        try:
            fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return Observation("locks", False, f"no flock: {error.strerror}", remedy)
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return Observation("locks", True, "flock holds: who comes second is refused")
    return Observation("locks", False, "flock does not hold: two had the same lock", remedy)


def _room(root: str) -> list[Observation]:
    room = os.statvfs(root)
    free, whole = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
    saw = f"{free / 2**30:.1f} GiB free of {whole / 2**30:.1f}"
    enough = free >= LEAST_BYTES and free >= LEAST_SHARE * whole
    found = [Observation("space", enough, saw, "make the volume larger, or empty the trash")]
    if room.f_files == 0:
        return [*found, Observation("inodes", True, "as many as there is space")]
    saw = f"{room.f_favail:,} free of {room.f_files:,}"
    enough = room.f_favail >= LEAST_SHARE * room.f_files
    return [*found, Observation("inodes", enough, saw, "each submitted file takes one: make a file system with more")]


def _clock(probe: str) -> Observation:
    ahead = os.stat(probe).st_mtime - time.time()
    saw = f"the volume's is {abs(ahead):.1f} s {'ahead' if ahead > 0 else 'behind'}"
    remedy = "let the file server and this machine keep time by NTP"
    return Observation("volume clock", abs(ahead) < CLOCKS_DIFFER_SECONDS, saw, remedy)
