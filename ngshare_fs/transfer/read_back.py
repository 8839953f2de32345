"""Reading back what was taken over: the same check as `ngshare-fs verify`, of the courses that were changed."""

from pathlib import Path

from ngshare_fs.store import Volume
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.format import layout
from ngshare_fs.transfer.account import Account


def read_back(volume: Volume, account: Account) -> None:
    """Read every file of the courses that were changed, and report what is not as it was written.

    Raises:
        OSError: the volume cannot be read.
    """
    changed = [course.course for course in account.courses.values() if course.has_changed]
    folders = tuple(f"{Path(layout.course('', course))}/" for course in changed)
    if not changed:
        return
    for finding in verify_volume(Path(volume.root)):
        if finding.path.startswith(folders):
            account.report("not-as-written", (finding.path,), f"{finding.code}: {finding.message}")
