"""Quotas: whether there is room for what is handed in, asked before a large body is read, and before it is stored."""

from collections.abc import Iterator
from dataclasses import dataclass

from ngshare_fs.api.call import Call
from ngshare_fs.formats.byte_size import size_in_words
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import LastCheck, quota

_WHO_CAN_HELP = {
    refusals.QUOTA_STUDENT: "an instructor can delete earlier submissions; leave out large files that are not needed",
    refusals.QUOTA_COURSE: "the course's instructors can delete what is not needed, or the administrator allow more",
    refusals.QUOTA_VOLUME: "the administrator can empty the trash, prune old submissions, or allow more",
}


@dataclass(frozen=True)
class _Limit:
    """One that counts for a call.

    Args:
        option: that sets it.
        whose: what it is about, in words.
        most, used: in bytes.
    """

    option: str
    whose: str
    most: int
    used: int

    def refused(self, adds: int | None) -> Refused:
        """The refusal of something that adds so much; None where not all of it has come."""
        more = "this adds more than is left" if adds is None else f"this adds {size_in_words(adds)}"
        said = f"{self.whose} takes {size_in_words(self.used)} of {size_in_words(self.most)}, and {more}: "
        limits = {self.option: self.most, refusals.USED: self.used}
        return Refused(refusals.QUOTA_REACHED, limits=limits, detail=said + _WHO_CAN_HELP[self.option])


@dataclass(frozen=True)
class Allowance:
    """What the files of a body that is about to arrive may take."""

    limit: _Limit
    bytes: int

    def check(self, size: int) -> None:
        """Look whether so much may come.

        Raises:
            Refused: it may not.
        """
        if size > self.bytes:
            raise self.limit.refused(None)


def allowance(call: Call, counts_for_student: bool) -> Allowance | None:
    """What may arrive; None for whatever there is. The body is still to come, so whose it is may not be known.

    Args:
        call: checked, so that its course is known.
        counts_for_student: whether what is stored is a student's.

    Raises:
        Refused: nothing may.
    """
    student = call.user if counts_for_student and not call.teaches else None
    limits = list(_limits(call, student))
    if not limits:
        return None
    tightest = min(limits, key=lambda limit: limit.most - limit.used)
    repeated = 0 if student is None else quota.perhaps_repeated(call.volume, call.course, call.assignment, student)
    found = Allowance(tightest, tightest.most - tightest.used + repeated)
    # An empty file takes nothing, and adds nothing.
    found.check(1)
    return found


def check_room(call: Call, student: str | None = None) -> None:
    """Look whether there is room for what a call has brought. Made directly before it is published.

    Args:
        student: whose quota it counts for; nobody's where it is not a student's.

    Raises:
        Refused: there is not.
    """
    limits = list(_limits(call, student))
    if limits:
        adds = sum(file.size for file in call.form.upload.files)
        for limit in limits:
            # What takes nothing is never too much: an instructor may lower a limit below what is there.
            if adds and limit.used + adds > limit.most:
                raise limit.refused(adds)


def with_room(call: Call) -> LastCheck:
    """The last check of a call that stores what is no student's."""

    def last_check() -> None:
        call.last_check()
        check_room(call)

    return last_check


def _limits(call: Call, student: str | None) -> Iterator[_Limit]:
    limits, used = call.limits.in_course(call.roster.rules), call.used
    if limits.student and student is not None:
        of_student = quota.used_by_student(call.volume, call.course, student)
        yield _Limit(refusals.QUOTA_STUDENT, f"what {student} handed in to {call.course}", limits.student, of_student)
    if limits.course and used.course is not None:
        yield _Limit(refusals.QUOTA_COURSE, call.course, limits.course, used.course)
    if limits.volume and used.volume is not None:
        yield _Limit(refusals.QUOTA_VOLUME, "all that is stored here", limits.volume, used.volume)
