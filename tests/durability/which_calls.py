"""Which of the calls that the watch sees count, so that one of them is disturbed."""

import sys
import zlib
from types import FrameType

from tests.durability import system_calls
from tests.durability.system_calls import FLUSHES, SystemCall, Wanted

LOCKS = frozenset({"flock", "lockf"})


def changes(call: SystemCall) -> bool:
    """Only calls that change something count: what others are made of is the same before and after them."""
    return call.changes


def leaves_something(call: SystemCall) -> bool:
    """Only calls count that leave something where the process ends after them: no flush, and no lock."""
    return call.changes and call.name not in FLUSHES and call.name not in LOCKS


def flushes(call: SystemCall) -> bool:
    """Only flushes count."""
    return call.name in FLUSHES


def writes(call: SystemCall) -> bool:
    """Only those count that can be made by half."""
    return call.name == "write"


def locks(call: SystemCall) -> bool:
    """Only the calls that lock and unlock a file count."""
    return call.name in LOCKS


def of_kind(kind: str) -> Wanted:
    """Only calls of this kind count."""
    return lambda call: call.kind == kind


class ReadsAtNewPlaces:
    """Calls that only read, each of them at a place in the program where none was before.

    A place is all who are calling, by their lines: what fails there once, fails in the same way the next time.

    Args:
        share: of so many places, one counts.
    """

    def __init__(self, share: int) -> None:
        self._share = share
        self._seen: set[str] = set()

    def next(self) -> Wanted:
        """The next such call, and no other one."""
        is_found = False

        def wanted(call: SystemCall) -> bool:
            nonlocal is_found
            if is_found or call.changes:
                return False
            place = f"{call.name} {_callers()}"
            if place in self._seen:
                return False
            self._seen.add(place)
            is_found = zlib.crc32(place.encode()) % self._share == 0
            return is_found

        return wanted


def _callers() -> list[tuple[str, int]]:
    """Who is calling: files and lines, without those of the watch."""
    found = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename not in (__file__, system_calls.__file__):
            found.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return found
