"""Why a command could not do something, in one line that says what to do; and words that cannot be names."""

import errno

from ngshare_fs.command.operator.data_folder import SOMETHING_LEFT
from ngshare_fs.command.output import fail
from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.settings import SettingsError
from ngshare_fs.store import StoreError
from ngshare_fs.store.errors import (
    AssignmentNotFound,
    BrokenManifest,
    CourseExists,
    CourseNotFound,
    LockLost,
    LockTimeout,
)
from ngshare_fs.terminal.confirmation import NotConfirmed

_ROOM = (errno.ENOSPC, errno.EDQUOT)


def reason(error: StoreError | OSError) -> str:
    """What is wrong, and what to do."""
    return in_one_line(_reason(error))


def not_done(error: StoreError | OSError | NotConfirmed) -> int:
    """Say why something was not done.

    Returns:
        The exit code.

    Raises:
        SettingsError: it is a course that was named and is not there.
    """
    if isinstance(error, CourseNotFound):
        raise SettingsError(reason(error)) from None
    return fail(str(error) if isinstance(error, NotConfirmed) else reason(error), SOMETHING_LEFT)


def checked_name(name: str) -> str:
    """A name of a course or a person that was given as a word.

    Raises:
        SettingsError: nothing can have it.
    """
    if not name:
        raise SettingsError("a name cannot be empty")
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise SettingsError(f"{name!r} is no name: it is not UTF-8") from None
    return name


def _reason(error: StoreError | OSError) -> str:
    if isinstance(error, CourseNotFound):
        return f"there is no course {str(error)!r}"
    if isinstance(error, CourseExists):
        return f"there is a course {str(error)!r} already, or something else in its place"
    if isinstance(error, AssignmentNotFound):
        return f"the assignment {error} was deleted meanwhile: run this again"
    if isinstance(error, BrokenManifest):
        return f"{error}: mend the file (`ngshare-fs verify` shows what else is wrong), then run this again"
    if isinstance(error, LockTimeout):
        return "somebody else held a lock of the volume for too long: run this again"
    if isinstance(error, LockLost):
        return f"{error}: nothing was changed, run this again"
    if not isinstance(error, OSError):
        return str(error)
    place = f"{error.filename}: " if error.filename else ""
    remedy = ": make room, then run this again" if error.errno in _ROOM else ""
    return f"{place}{error.strerror or error}{remedy}"
