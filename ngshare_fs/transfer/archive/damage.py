"""What is wrong with a course, before it is archived and before it is restored: the same in both places."""

from collections.abc import Iterator
from pathlib import Path

from ngshare_fs.store.checking.findings import Finding
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.format import layout


def damage_in(root: Path, course: str | None = None) -> Iterator[Finding]:
    """What `verify` finds in a volume or a course. Nothing hangs on the journal, so that is left out.

    Args:
        root: the folder of the volume.
        course: the name of the only course to look at.
    """
    for finding in verify_volume(root, course=course):
        if not finding.defect.is_note and not finding.path.startswith(layout.JOURNAL + "/"):
            yield finding
