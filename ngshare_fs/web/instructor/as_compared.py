"""What somebody has looked at before they confirmed: the change is made only if that would still be the same."""

import hashlib
from collections.abc import Callable

from ngshare_fs.store import LastCheck
from ngshare_fs.web.frame.page import Field

# The field that has the mark of what was shown.
SEEN = "seen"
SEEN_FIELD = Field(SEEN, 64, required=False)


class MovedOn(Exception):
    """What would be done is not what was shown any more. Nothing was changed."""


def mark_of(value: object) -> str:
    """What a value is known again by: values that look the same are."""
    return hashlib.sha256(repr(value).encode("utf-8", "backslashreplace")).hexdigest()[:32]


def still(seen: str, compared: Callable[[], object], last_check: LastCheck) -> LastCheck:
    """The last check of a change that somebody has confirmed: made under the lock, where nobody else changes it.

    Args:
        seen: the mark of what was shown.
        compared: makes that value anew.
        last_check: what else is checked.

    Raises:
        MovedOn: it is another one; by the check.
    """

    def check() -> None:
        last_check()
        if mark_of(compared()) != seen:
            raise MovedOn

    return check
