"""By how much work is late: one rule, for the server, which says it, and for nbgrader's gradebook, which is told."""

from datetime import datetime, timedelta

_SECOND = timedelta(seconds=1)


def late_seconds(moment: datetime, due: datetime, grace: timedelta) -> int:
    """Whole seconds after the due date; 0 in time.

    Args:
        moment: when the work was handed in.
        due: a second that counts whole.
        grace: what is late by no more than this is not late.
    """
    late = (moment - due) // _SECOND
    return 0 if late <= grace // _SECOND else late
