"""What was looked at, and whether it is fine: for `doctor`, and for the check at the start."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CheckResult:
    """One thing that was looked at.

    Args:
        subject: what it was, in a word or two.
        ok: whether it is as it should be; None where nobody could tell.
        detail: what was there, in one line.
        remedy: what to do, where it is not as it should be; in one line.
    """

    subject: str
    ok: bool | None
    detail: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.subject}: {self.detail}" + (f"; {self.remedy}" if self.remedy and not self.ok else "")
