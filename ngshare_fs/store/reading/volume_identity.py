"""What tells a volume from another one, to anybody: for `doctor`, which asks a server which volume it serves."""

import hashlib
import os

from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.format import layout


def identity_of(root: str) -> str:
    """An opaque text that two volumes do not share, a copy of this one included. It changes if `ngshare.yaml` does.

    Made of times alone: inodes are not the same on all machines that have some network file systems.

    Raises:
        OSError: there is no volume, or it cannot be looked at.
    """
    status = retry_on_estale(os.stat, os.path.join(root, layout.VOLUME_FILE))
    times = f"{status.st_mtime_ns} {status.st_ctime_ns}"
    return hashlib.blake2b(times.encode(), digest_size=8, person=b"ngshare volume").hexdigest()
