"""The figures of a class are right: against a model that counts anew, from classes drawn at random."""

import csv
import io
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ngshare_fs.store import Volume
from ngshare_fs.store import timestamp_of as text_of
from ngshare_fs.web.instructor.class_work.class_csv import CLASS_CSV
from ngshare_fs.web.instructor.class_work.class_table import CLASS
from ngshare_fs.web.instructor.class_work.figures import Figures
from ngshare_fs.web.instructor.class_work.matrix import EVERYBODY, LATE, LEFT, MISSING, WITHOUT_FEEDBACK
from ngshare_fs.web.instructor.class_work.student import STUDENT
from ngshare_fs.web.student.course import COURSE
from tests.pages.made_up_class import Given, MadeUp, make
from tests.pages.visiting import visit
from tests.rounds import rounds

COURSE_NAME = {"course": "c"}
SOON = timedelta(days=3)


@pytest.mark.parametrize("seed", range(rounds(24)))
def test_every_figure_is_that_of_the_model(seed: int, tmp_path: Path) -> None:
    now = datetime.now(timezone.utc).replace(microsecond=0)
    volume = Volume.open(tmp_path / "volume")
    try:
        made = make(volume, random.Random(seed), now)
        for _ in range(2):  # read, and kept in memory
            check_overview(volume, made, now)
            check_csv(volume, made, now)
            check_filters(volume, made, now)
            check_students(volume, made, now)
    finally:
        volume.close()


def check_overview(volume: Volume, made: MadeUp, now: datetime) -> None:
    rows = COURSE.read(visit(COURSE, volume, "kevin", COURSE_NAME, at=now))["rows"].rows
    assert [row.assignment for row in rows] == list(made.assignments)[::-1]
    for row in rows:
        assert row.figures == expected(made, made.assignments[row.assignment], now), row.assignment


def expected(made: MadeUp, given: Given, now: datetime) -> Figures:
    own = [student for student in made.students if student in given.submissions]
    others = [student for student in given.submissions if student not in made.students]
    returned = [at for student in own if (at := given.feedback_of(student)) is not None]
    last = max(returned, default=None)
    newest = [given.submissions[student][-1] for student in own]
    ends = [given.extended[each] for each in given.extended if each not in own and now <= given.extended[each]]
    soon = [end for end in ends if end <= now + SOON]
    return Figures(
        students=len(made.students),
        handed_in=len(own),
        late=sum(bool(given.late_seconds(each)) for each in own) if given.due is not None else None,
        missing=sum(each not in own and given.is_overdue(each, now) for each in made.students),
        feedback=len(returned),
        new=len([at for at in newest if last is None or at > last]),
        others=len(others),
        newest=text_of(max(newest)) if newest else None,
        newest_feedback=text_of(last) if last is not None else None,
        ending=len(soon),
        first_end=min(soon, default=None),
    )


def check_csv(volume: Volume, made: MadeUp, now: datetime) -> None:
    content = CLASS_CSV.opens(visit(CLASS_CSV, volume, "kevin", COURSE_NAME, at=now)).content  # type: ignore[union-attr]
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    who_left = [each for each in made.left if any(each in given.submissions for given in made.assignments.values())]
    assert sorted(row[0] for row in rows[1:]) == sorted([*made.students, *who_left])
    for row in rows[1:]:
        cells = [row[start : start + 4] for start in range(5, len(row), 4)]
        assert cells == [said(row[0], given) for given in made.assignments.values()], row


def said(student: str, given: Given) -> list[str]:
    if student not in given.submissions:
        return ["", "", "0", ""]
    late, returned = given.late_seconds(student), given.feedback_of(student)
    return [
        f"{given.submissions[student][-1]:%Y-%m-%d %H:%M:%S}",
        "" if late is None else str(late),
        str(len(given.submissions[student])),
        "" if returned is None else f"{returned:%Y-%m-%d %H:%M:%S}",
    ]


def check_filters(volume: Volume, made: MadeUp, now: datetime) -> None:
    names = list(made.assignments)
    for chosen in (names, names[:1]):
        shown = [made.assignments[name] for name in chosen]
        left = [each for each in made.left if any(each in given.submissions for given in shown)]
        everybody = [*made.students, *left]
        wanted = {
            EVERYBODY: everybody,
            MISSING: [each for each in made.students if any(each not in given.submissions for given in shown)],
            LATE: [e for e in everybody if any(e in given.submissions and given.late_seconds(e) for given in shown)],
            WITHOUT_FEEDBACK: [
                e for e in everybody if any(e in given.submissions and not given.is_on_newest(e) for given in shown)
            ],
            LEFT: left,
        }
        for show, who in wanted.items():
            query = {"show": show, **{f"of.{name}": "1" for name in chosen}}
            found = CLASS.read(visit(CLASS, volume, "kevin", COURSE_NAME, query, now))
            assert sorted(row.member.user for row in found["rows"]) == sorted(who), (show, chosen)
            for row in found["rows"]:
                for cell, given in zip(row.cells, shown, strict=True):
                    check_cell(cell, row.member.user, given, made, now)


def check_cell(cell: object, student: str, given: Given, made: MadeUp, now: datetime) -> None:
    if student not in given.submissions:
        assert cell is (student in made.students and given.is_overdue(student, now))
    else:
        assert getattr(cell, "late_seconds") == given.late_seconds(student)  # noqa: B009 - of an `object`
        assert getattr(cell, "is_on_newest") == given.is_on_newest(student)  # noqa: B009


def check_students(volume: Volume, made: MadeUp, now: datetime) -> None:
    for student in made.students[:3]:
        names = {**COURSE_NAME, "user": student}
        works = STUDENT.read(visit(STUDENT, volume, "kevin", names, at=now))["works"].rows
        for work in works:
            given = made.assignments[work.assignment]
            own = given.submissions.get(student, [])
            assert work.count == len(own)
            assert work.is_missing == (not own and given.is_overdue(student, now))
            if own:
                assert work.newest == text_of(own[-1])
                assert work.late_seconds == given.late_seconds(student)
                every = [at for (user, _), at in given.feedback.items() if user == student]
                assert work.feedback == (text_of(max(every)) if every else None)
