"""More time for single students: given, changed, taken back."""

from collections.abc import Mapping
from dataclasses import replace

from ngshare_fs.formats.sentence import sentence
from ngshare_fs.store import dates, roster
from ngshare_fs.store.errors import WrongDates
from ngshare_fs.store.format.assignment_file import AssignmentFile, Extension
from ngshare_fs.store.format.course_rules import CourseRules
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.last_check import LastCheck, no_check


def extend(
    volume: Volume, course: str, assignment: str, student: str, extension: Extension, last_check: LastCheck = no_check
) -> None:
    """Give a student more time, in place of what was given before; what else somebody wrote into the entry stays.

    Args:
        last_check: see `EditableFile.change`.

    Raises:
        WrongDates: it is no more time than everybody has, or there is no date that it could move.
        CourseNotFound: the course is gone.
        AssignmentNotFound, BrokenManifest: see `dates.change`.
    """
    extend_several(volume, course, assignment, {student: extension}, last_check)


def extend_several(
    volume: Volume,
    course: str,
    assignment: str,
    extensions: Mapping[str, Extension],
    last_check: LastCheck = no_check,
) -> None:
    """Give several students more time, by one write.

    Args:
        extensions: by student.
        last_check: see `EditableFile.change`.

    Raises:
        see `extend`; then nobody is given any.
    """
    rules = roster.of(volume, course).rules

    def with_extensions(file: AssignmentFile) -> AssignmentFile:
        given = dict(file.extensions)
        for student, extension in extensions.items():
            check_extension(file, rules, extension)
            before = given.get(student)
            given[student] = extension if before is None else replace(extension, more=before.more)
        return replace(file, extensions=given)

    dates.change_file(volume, course, assignment, with_extensions, last_check)


def take_back(volume: Volume, course: str, assignment: str, student: str, last_check: LastCheck = no_check) -> bool:
    """Let the assignment's dates count for a student again.

    Args:
        last_check: see `EditableFile.change`.

    Returns:
        whether there was an extension.

    Raises:
        AssignmentNotFound, BrokenManifest: see `dates.change`.
    """
    had: list[bool] = []

    def without_extension(file: AssignmentFile) -> AssignmentFile:
        had[:] = [student in file.extensions]
        return file.without(student)

    dates.change_file(volume, course, assignment, without_extension, last_check)
    return had[0]


def check_extension(file: AssignmentFile, rules: CourseRules, extension: Extension) -> None:
    """Look whether an extension is more time than everybody has.

    Raises:
        WrongDates: see `extend`.
    """
    everybodys = dates.applying(file, rules)
    if extension.due is None and extension.close is None:
        raise WrongDates(sentence("an extension needs a due date, a close date or both"))
    if extension.due is not None and file.due is None:
        raise WrongDates(sentence("there is no due date that could be extended: set that first"))
    if extension.close is not None and everybodys.close is None:
        raise WrongDates(sentence("the assignment never closes, so there is no close date that could be extended"))
    for name in ("due", "close"):
        moment, given = getattr(everybodys, name), getattr(extension, name)
        if moment is not None and given is not None and given.at <= moment.at:
            raise WrongDates(
                sentence(
                    "{given} is not later than the {name} date of everybody, {moment}",
                    given=given,
                    name=sentence(name),
                    moment=moment,
                )
            )
    if extension.due is not None and extension.close is not None and extension.due.at > extension.close.at:
        raise WrongDates(
            sentence(
                "the due date, {due}, is later than the close date, {close}", due=extension.due, close=extension.close
            )
        )
