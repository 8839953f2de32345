"""What was looked at, and whether it is fine: for `doctor`, and for the check at the start."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Observation:
    """One thing that was looked at.

    Args:
        subject: what it was, in a word or two.
        fine: whether it is as it should be; None where nobody could tell.
        saw: what was there, in one line.
        remedy: what to do, where it is not fine; in one line.
    """

    subject: str
    fine: bool | None
    saw: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.subject}: {self.saw}" + (f"; {self.remedy}" if self.remedy and not self.fine else "")
