"""What one process at a time does, of all that have a volume open, here and on other machines."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ngshare_fs.store.format import layout
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.locks import if_abandoned


@contextmanager
def one_of_all(volume: Volume, task: str) -> Iterator[bool]:
    """Be the one that does it; False where another process is. Whoever dies makes room for the next.

    Args:
        task: a name for it, such as `group-sync`; no other lock of the volume has it.

    Raises:
        OSError: nobody can tell.
    """
    # The file stays: who removed it could leave two others, each with a lock on a file of that name.
    with if_abandoned(os.path.join(volume.root, layout.LOCKS, f"{task}.lock")) as is_ours:
        yield is_ours
