"""`ngshare-fs course`: courses and rosters on a server."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ngshare_fs.command import course_dates
from ngshare_fs.command.operator import course_rename, course_sync
from ngshare_fs.command.output import fail
from ngshare_fs.command.parser import OneLineParser
from ngshare_fs.terminal.installation import how_to_install

HELP = "courses and rosters on a server, as the signed-in user"
DESCRIPTION = (
    "Courses and rosters on a server, as the signed-in user; `rename` and `sync --from-hub` work on the data folder "
    "itself."
)


class _ActionParser(OneLineParser):
    """The parser of an action: `sync` has other words where it is about the hub's groups."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Read the words; with the other parser where they are for that."""
        if self.prog.endswith(" sync") and args and course_sync.FLAG in args:
            parser = OneLineParser(prog=self.prog, description=course_sync.DESCRIPTION, allow_abbrev=False)
            course_sync.add_words(parser)
            return parser.parse_known_args(args, namespace)
        return super().parse_known_args(args, namespace)


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its actions."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=_ActionParser)

    def add(name: str, help: str, of_a_course: bool = True) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help, allow_abbrev=False, description=help[0].upper() + help[1:] + ".")
        command.add_argument(
            "--url", default="", help="of the server; looked for as nbgrader's plug-ins do where left out"
        )
        command.add_argument(
            "--user",
            dest="acting_user",
            metavar="NAME",
            help="as whom to act on a stand-alone server; a JupyterHub's server knows by the token",
        )
        if of_a_course:
            add_course(command)
        return command

    add("create", "make a course (admins, and whom the server lets make courses)").add_argument(
        "instructors",
        metavar="INSTRUCTOR",
        nargs="*",
        help="who teaches it; whoever makes it and is no admin does, and may name nobody else",
    )
    _yes(add("delete", "move a course to the trash, with all that is in it (admins)"))
    delete_assignment = add("delete-assignment", "move an assignment to the trash, with all that was handed in")
    delete_assignment.add_argument("assignment", metavar="ASSIGNMENT")
    _yes(delete_assignment)
    for_programs = "as JSON, for programs"
    listed = add("list", "show the courses that you take or teach, and your role", of_a_course=False)
    listed.add_argument("--json", action="store_true", help=for_programs)
    add("show", "show a course's instructors, graders, students and assignments").add_argument(
        "--json", action="store_true", help=for_programs
    )
    _person(add("add-instructor", "add an instructor (admins), or change your own entry"))
    add("remove-instructor", "remove an instructor (admins)").add_argument("user", metavar="USER")
    _person(
        add("add-grader", "add a grader, who collects and gives feedback but changes no course, or change the entry")
    )
    add("remove-grader", "remove a grader").add_argument("user", metavar="USER")
    add_student = add("add-student", "add a student, or change the entry")
    _person(add_student)
    add_students = add("add-students", "add or change the students in a CSV file")
    add_file(add_students)
    remove_students = add("remove-students", "remove students; what they handed in stays")
    remove_students.add_argument("users", metavar="USER", nargs="+")
    sync = add("sync", "make the roster the one in a CSV file: add, change, remove")
    sync.epilog = (
        f"`{course_sync.FLAG}` in place of the file: {course_sync.HELP}; see `sync {course_sync.FLAG} --help`."
    )
    add_file(sync)
    _yes(sync)
    sync.add_argument("--dry-run", action="store_true", help="only show what would be done")
    course_dates.add_words_of_dates(add("dates", course_dates.DATES_HELP))
    course_dates.add_words_of_extensions(add("extend", course_dates.EXTEND_HELP))
    renamed = commands.add_parser(
        "rename", help=course_rename.HELP, allow_abbrev=False, description=course_rename.DESCRIPTION
    )
    course_rename.add_words(renamed)
    for command in (add_students, sync):
        _columns(command)
    for command in (add_student, add_students, remove_students, sync):
        _gradebook(command)


def run(given: argparse.Namespace) -> int:
    """Do what was told.

    Returns:
        The exit code: 0, or 1 where it was not done.

    Raises:
        SettingsError: words do not go together.
    """
    if given.action == "rename":
        return course_rename.run(given)
    if given.action == "sync" and "from_hub" in given:
        return course_sync.run(given)
    try:
        from ngshare_fs.management.actions import run as act
    except ImportError as error:
        return fail(f"{error}: {how_to_install('client')}", 1)
    course_dates.check(given)
    return act(given)


def add_course(parser: argparse.ArgumentParser) -> None:
    """Give a parser the name of a course."""
    parser.add_argument("course", metavar="COURSE")


def add_file(parser: argparse.ArgumentParser) -> None:
    """Give a parser a file with a roster."""
    parser.add_argument(
        "file", metavar="FILE.csv", type=Path, help="its first row: student_id,first_name,last_name,email"
    )


def _yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask before something is removed")


def _person(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("user", metavar="USER")
    for name in ("first-name", "last-name", "email"):
        parser.add_argument(f"--{name}", help="stays as it is where left out")


def _columns(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--columns",
        action="append",
        default=[],
        metavar="student_id=HEADING,...",
        help="what the file calls student_id, first_name, last_name or email, where its headings do not say it",
    )


def _gradebook(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--gradebook",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="keep nbgrader's gradebook in step (default), or leave it",
    )
    parser.add_argument(
        "--force", action="store_true", help="remove students from the gradebook together with their grades"
    )
