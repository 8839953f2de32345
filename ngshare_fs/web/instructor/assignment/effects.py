"""What a change of an assignment's dates does to what was handed in, and to who has more time."""

from collections.abc import Sequence

from ngshare_fs.formats.civil_time import Moment
from ngshare_fs.formats.sentence import Sentence, sentence
from ngshare_fs.store import AssignmentFile, dates, submission
from ngshare_fs.web.frame.visit import Visit

# Of people in a sentence.
MOST_NAMED = 20


def effects_of(visit: Visit, before: AssignmentFile, after: AssignmentFile) -> list[Sentence]:
    """What has to be known before it is saved, in sentences.

    Args:
        before, after: what the file says, and would say.
    """
    rules = visit.roster.rules
    was, will_be = dates.for_each(before, rules), dates.for_each(after, rules)
    become_late: set[str] = set()
    become_in_time: set[str] = set()
    late = in_time = 0
    for student, moment in submission.submissions_to(*visit.asking.work):
        is_now, is_then = was(student).is_in_time(moment), will_be(student).is_in_time(moment)
        if is_now and not is_then:
            late += 1
            become_late.add(student)
        elif is_then and not is_now:
            in_time += 1
            become_in_time.add(student)
    said = []
    if late:
        said.append(
            sentence("Submissions that become late: {count} (students: {people})", count=late, people=len(become_late))
        )
    if in_time:
        said.append(
            sentence(
                "Submissions that are in time from then on: {count} (students: {people})",
                count=in_time,
                people=len(become_in_time),
            )
        )
    return [*said, *_of_everybody(visit, after), *_of_extensions(after), *_midnights(before, after)]


def _of_everybody(visit: Visit, after: AssignmentFile) -> list[Sentence]:
    applying = dates.applying(after, visit.roster.rules)
    said = []
    state = applying.state(visit.now)
    if state == "scheduled":
        said.append(sentence("Students do not see the assignment before its release."))
    if applying.close is not None and after.close is None:
        said.append(sentence("It closes at {close}, by the course's close_after.", close=applying.close))
    if state == "late":
        said.append(sentence("The due date is over: what was and is handed in after it is late."))
    if state == "closed":
        said.append(sentence("It is closed: only whoever has an extension beyond that hands in."))
    return said


def _of_extensions(after: AssignmentFile) -> list[Sentence]:
    due = after.due
    users = [user for user, each in after.extensions.items() if due and each.due and each.due.at <= due.at]
    if not users:
        return []
    return [sentence("These have no more time by their extensions than everybody: {users}", users=first_of(users))]


def _midnights(before: AssignmentFile, after: AssignmentFile) -> list[Sentence]:
    said = []
    for name in ("due", "close"):
        moment = getattr(after, name)
        if moment is not None and moment != getattr(before, name) and (trap := midnight(moment)) is not None:
            said.append(trap)
    return said


def midnight(moment: Moment) -> Sentence | None:
    """What to say of a date until which work is taken, where it is a midnight: a day less than was meant."""
    day, is_midnight, _ = str(moment).partition(" 00:00:00 ")
    if not is_midnight:
        return None
    return sentence("{moment} is the beginning of that day; for its end, write {day}", moment=moment, day=day)


def first_of(users: Sequence[str]) -> str:
    """The first of many user names."""
    return ", ".join(users[:MOST_NAMED]) + (" …" if len(users) > MOST_NAMED else "")
