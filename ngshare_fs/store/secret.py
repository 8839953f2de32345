"""A secret that all processes and pods of a volume share, and that outlives them: it lies on the volume."""

import logging
import os
import secrets
import stat

from ngshare_fs.formats.cookie_secret import problem_with
from ngshare_fs.store.errors import Interrupted, VolumeError, VolumeFailure
from ngshare_fs.store.files.plain_file import open_plain
from ngshare_fs.store.format import layout
from ngshare_fs.store.volume import Volume

logger = logging.getLogger(__name__)


def cookie_secret(volume: Volume) -> str:
    """What cookies are sealed with; made at first use. Deleting the file ends all sessions at the next start.

    Raises:
        VolumeError: it can be neither read nor made, or cannot be used; the text says what to do.
    """
    path = os.path.join(volume.root, layout.COOKIE_SECRET)
    try:
        with volume.locks.hold("cookie-secret"):
            if not os.path.lexists(path):
                _make(volume, path)
        found = _read(path)
    except (OSError, Interrupted, VolumeFailure) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise VolumeError(f"{path}: {reason}; the server has to be able to read it, and nobody else") from error
    _check(path, found)
    return found


def check_cookie_secret(path: str) -> None:
    """Look whether the file, if it is there, can be used.

    Raises:
        VolumeError, OSError: it cannot.
    """
    try:
        with open(open_plain(path), encoding="ascii", errors="replace") as file:
            _check(path, file.read(4096).strip())
    except FileNotFoundError:
        pass  # a stand-alone server needs none, and the first start under a hub makes it


def _check(path: str, found: str) -> None:
    problem = problem_with(found)
    if problem:
        raise VolumeError(f"{path} is {problem}: delete it, and a new one is made")


def _read(path: str) -> str:
    with open(open_plain(path), encoding="ascii", errors="replace") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            logger.warning("%s could be read by others (mode %04o): now it cannot", path, mode)
            os.fchmod(file.fileno(), 0o600)
        return file.read(4096).strip()


def _make(volume: Volume, path: str) -> None:
    with volume.publishing() as publication:
        descriptor = os.open(publication.staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
        publication.dirty.add_file(publication.staged)
        publication.publish(path)
