"""Why a folder cannot be used, in words: whose it is, as whom this runs, and what to do."""

import contextlib
import errno
import os
import pwd


def unusable(root: str, error: OSError) -> str:
    """What keeps the server's user from using the folder `root` as the volume, and what to do about it."""
    place = nearest(error.filename or root)
    try:
        status = os.stat(place)
        owner = f"{place} belongs to {user_name(status.st_uid)} with mode {status.st_mode & 0o7777:04o}"
    except OSError as problem:
        owner = f"{place} cannot be looked at ({problem.strerror})"
    return (
        f"cannot use {root} as the volume: {error.strerror} ({error.filename or root}); {owner}, "
        f"the server runs as {user_name(os.geteuid())}: {remedy_for(root, error)}, or give --data another folder"
    )


def nearest(path: str) -> str:
    """A path, or where nothing is there, the first folder above it that is."""
    while not os.path.lexists(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    return path


def remedy_for(root: str, error: OSError) -> str:
    """What to do about an error that keeps the server's user from using the folder `root`."""
    if error.errno == errno.EROFS:
        return "mount it for writing"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "make room on it (`ngshare-fs trash empty` works all the same)"
    if error.errno not in (errno.EACCES, errno.EPERM):
        return "see what is wrong with its disk or network"
    if os.geteuid() == 0:
        # Its own disks keep root from nothing.
        return (
            "root has no rights there (a file server takes root for nobody, as NFS does with root_squash): run this as "
            "another user, who owns the folder"
        )
    if not os.path.lexists(root):
        return f"make {root} and let that user own it"
    place = nearest(error.filename or root)
    with contextlib.suppress(OSError):
        if os.stat(place).st_uid == os.geteuid():
            return f"let its owner write (chmod -R u+rwX {place})"
    return f"let that user own the folder (chown -R {root})"


def user_name(uid: int) -> str:
    """A user of the system, by name where there is one."""
    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"
