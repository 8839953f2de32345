"""What cannot be read, and links: where it may be all right but for its mode or its place, a person has to look."""

import errno
import os
import stat

from ngshare_fs.store.files.plain_file import open_plain
from ngshare_fs.store.files.unusable import user_name
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.repairing.quarantine import set_aside, set_aside_at
from ngshare_fs.store.repairing.step import Damage, Left, Step
from ngshare_fs.store.volume import Volume

_NAMED = (
    layout.COURSE_FILE, layout.ASSIGNMENTS, layout.ASSIGNMENT_FILE, layout.RELEASES, layout.SUBMISSIONS,
    layout.FEEDBACK, layout.MANIFEST, layout.FILES, layout.TRASH_FILE, layout.VOLUME_FILE, layout.COURSES, layout.TRASH,
    layout.JOURNAL, layout.PRIVATE,
)  # fmt: skip


def readable_or_aside(damage: Damage) -> Step:
    """Give the owner back the right to read; what the disk refuses is set aside."""
    path = damage.path
    if damage.place in ("", ".", layout.COURSES, layout.TRASH):
        raise Left("it is a part of the volume itself: mend owner and mode, or the disk")
    status = os.lstat(path)
    is_folder = stat.S_ISDIR(status.st_mode)
    problem = _problem(path, is_folder)
    if problem is None:
        raise Left("it can be read by now")
    if problem.errno not in (errno.EACCES, errno.EPERM):
        return set_aside_at(damage, damage.place, f"move it ({problem.strerror}) to quarantine in the trash")
    if status.st_uid != os.geteuid():
        raise Left(
            f"it belongs to {user_name(status.st_uid)}, and this runs as {user_name(os.geteuid())}: "
            "chown it to the server's user"
        )
    wanted = stat.S_IMODE(status.st_mode) | (stat.S_IRWXU if is_folder else stat.S_IRUSR | stat.S_IWUSR)

    def mend(volume: Volume, by: str) -> None:
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if (found := os.fstat(descriptor)).st_ino != status.st_ino or found.st_dev != status.st_dev:
                raise Left("it is another one by now: run this again")
            os.chmod(f"/proc/self/fd/{descriptor}", wanted)
        finally:
            os.close(descriptor)

    return Step(damage, f"let its owner read it (mode {wanted:04o})", damage.place, mend)


def link_aside(damage: Damage) -> Step:
    """Set a link aside where nothing belongs; where something does, what it leads to may be just that."""
    if _something_belongs_at(damage.parts):
        raise Left("something of the volume belongs there: move what it leads to into its place, or mount it there")
    return set_aside(damage)


def _something_belongs_at(parts: list[str]) -> bool:
    if parts[0] == layout.COURSES:
        if layout.FILES in parts[6:-1]:
            return True  # the manifest may list it
        # Courses, assignments, students, and trees.
        is_folder_of_name = (
            len(parts) == 2
            or (len(parts) == 4 and parts[2] == layout.ASSIGNMENTS)
            or (len(parts) == 6 and parts[4] == layout.SUBMISSIONS)
        )
        return is_folder_of_name or parts[-1] in _NAMED or timestamp.from_folder(parts[-1]) is not None
    return parts[-1] in _NAMED or parts[0] == layout.JOURNAL


def _problem(path: str, is_folder: bool) -> OSError | None:
    try:
        if is_folder:
            for name in os.listdir(path):
                os.lstat(os.path.join(path, name))
        else:
            os.close(open_plain(path))
    except OSError as error:
        return error
    return None
