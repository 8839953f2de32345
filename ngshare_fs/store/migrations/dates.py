"""To layout 2: assignments may have dates, and courses graders and groups.

Nothing is moved or written. What changes is the number: a program that knows no dates would show what is still
scheduled, and accept what comes after the close date.
"""

import contextlib
import os
from collections.abc import Callable, Iterator

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import BrokenYaml, Node, WrongShape
from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.files.plain_file import NotPlain, read_plain
from ngshare_fs.store.format import assignment_file, course_file, layout
from ngshare_fs.store.format.unknown_keys import misspelt
from ngshare_fs.store.migrations.migration import InTheWay, Migration
from ngshare_fs.store.migrations.workplace import Workplace

# Of `course.yaml`: before, they meant nothing and were kept.
_NEW_KEYS = ("timezone", "grace", "close_after", "graders", "groups")


def check(root: str) -> None:
    """Look for what meant nothing before, has a meaning by now, and cannot be understood so.

    Raises:
        InTheWay: there is some; the text names the file and the line.
    """
    for course in _folders_in(layout.courses(root)):
        # What is wrong with a course's file for another reason was so before.
        with contextlib.suppress(NotPlain, PermissionError):
            _check_file(os.path.join(course, layout.COURSE_FILE), _understand_new_keys, may_be_broken=True)
        for assignment in _folders_in(os.path.join(course, layout.ASSIGNMENTS)):
            file = os.path.join(assignment, layout.ASSIGNMENT_FILE)
            try:
                _check_file(file, assignment_file.understand)
            except (NotPlain, PermissionError) as error:
                raise InTheWay(
                    f"{file} cannot be read ({error.strerror}), and dates belong there: move it elsewhere"
                ) from None


def apply(_: Workplace) -> None:
    """Nothing is to be done."""


def _understand_new_keys(document: dict[str, Node]) -> None:
    # One that is nearly a new key may break the file by now, too.
    new = {*_NEW_KEYS, *(found.key for found in misspelt(document, _NEW_KEYS))}
    old = {key: value for key, value in document.items() if key not in new}
    if old != document:
        try:
            course_file.understand(old)
        except WrongShape:
            return
        course_file.understand(document)


def _check_file(file: str, understand: Callable[[dict[str, Node]], object], may_be_broken: bool = False) -> None:
    try:
        _, content = retry_on_estale(read_plain, file)
    except (FileNotFoundError, NotADirectoryError):
        return
    if may_be_broken:
        try:
            yaml_text.parse(content, file, dict)
        except BrokenYaml:
            return
    try:
        yaml_text.parse(content, file, understand)
    except BrokenYaml as error:
        raise InTheWay(f"{error}; it meant nothing before layout 2: mend it, or move it elsewhere") from None


def _folders_in(parent: str) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError), os.scandir(parent) as entries:
        yield from sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))


MIGRATION = Migration(2, "dates", "assignments may have dates; nothing is moved", check, apply)
