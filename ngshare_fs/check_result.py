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


def clock_ahead(theirs: float, width: float, asked: float, answered: float) -> float:
    """By how many seconds, at least, another clock is ahead of ours; negative where it is behind, 0 where it may agree.

    Args:
        theirs: what it said.
        width: of what it may have been: 1 where it says whole seconds.
        asked, answered: our clock before it was asked, and after.
    """
    if theirs > answered:
        return theirs - answered
    return min(0.0, theirs + width - asked)


def look_at_clock(subject: str, whose: str, ahead: float, tolerance: float) -> CheckResult:
    """Another clock beside that of this machine.

    Args:
        subject: see `CheckResult`.
        whose: the other clock is, for people.
        ahead: see `clock_ahead`.
        tolerance: seconds that do not matter.
    """
    detail = f"{whose} is {abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}"
    if abs(ahead) < tolerance:
        return CheckResult(subject, True, detail if abs(ahead) >= 1 else f"{whose} agrees with this machine's")
    when = f"{abs(ahead):.0f} s {'late' if ahead > 0 else 'early'}"
    remedy = (
        "let both machines keep time by NTP: assignments are released, due and closed by the clock of the server that "
        f"is asked, here {when} if this machine's is the wrong one"
    )
    return CheckResult(subject, False, detail, remedy)
