"""The words of `ngshare-fs course`, and those of ngshare's old command."""

import argparse
from pathlib import Path


def add_course_commands(parser: argparse.ArgumentParser) -> None:
    """Give the parser of `ngshare-fs course` its commands."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

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
            _course(command)
        return command

    add("create", "make a course (admins)").add_argument(
        "instructors", metavar="INSTRUCTOR", nargs="*", help="who teaches it"
    )
    _yes(add("delete", "move a course to the trash, with all that is in it (admins)"))
    delete_assignment = add("delete-assignment", "move an assignment to the trash, with all that was handed in")
    delete_assignment.add_argument("assignment", metavar="ASSIGNMENT")
    _yes(delete_assignment)
    for_programs = "as JSON, for programs"
    listed = add("list", "show the courses that you take or teach, and your role", of_a_course=False)
    listed.add_argument("--json", action="store_true", help=for_programs)
    add("show", "show a course's instructors, students and assignments").add_argument(
        "--json", action="store_true", help=for_programs
    )
    _person(add("add-instructor", "add an instructor (admins), or change your own entry"))
    add("remove-instructor", "remove an instructor (admins)").add_argument("user", metavar="USER")
    add_student = add("add-student", "add a student, or change the entry")
    _person(add_student)
    add_students = add("add-students", "add or change the students in a CSV file")
    _file(add_students)
    remove_students = add("remove-students", "remove students; what they handed in stays")
    remove_students.add_argument("users", metavar="USER", nargs="+")
    sync = add("sync", "make the roster the one in a CSV file: add, change, remove")
    _file(sync)
    _yes(sync)
    sync.add_argument("--dry-run", action="store_true", help="only show what would be done")
    for command in (add_students, sync):
        _columns(command)
    for command in (add_student, add_students, remove_students, sync):
        _gradebook(command)


def old_parser() -> argparse.ArgumentParser:
    """The parser of `ngshare-course-management`, whose words end up as those of `ngshare-fs course`."""
    parser = argparse.ArgumentParser(
        prog="ngshare-course-management", description="ngshare's old command; the new one is `ngshare-fs course`."
    )
    parser.set_defaults(url="", acting_user=None, columns=[])
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=f"as `ngshare-fs course {name.replace('_', '-')}`")
        _course(command)
        return command

    create = add("create_course")
    create.add_argument("instructors", metavar="INSTRUCTOR", nargs="*")
    for name in ("add_instructor", "add_student"):
        command = add(name)
        command.add_argument("user", metavar="USER")
        command.add_argument("-f", "--first_name")
        command.add_argument("-l", "--last_name")
        command.add_argument("-e", "--email")
        if name == "add_student":
            _old_gradebook(command)
    add("remove_instructor").add_argument("user", metavar="USER")
    add_students = add("add_students")
    _file(add_students)
    _old_gradebook(add_students)
    remove_students = add("remove_students")
    remove_students.add_argument("users", metavar="STUDENT", nargs="+")
    _old_gradebook(remove_students)
    return parser


def _yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask before something is removed")


def _course(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("course", metavar="COURSE")


def _person(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("user", metavar="USER")
    for name in ("first-name", "last-name", "email"):
        parser.add_argument(f"--{name}", help="stays as it is where left out")


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE.csv", type=Path, help="its first row: student_id,first_name,last_name,email"
    )


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


def _old_gradebook(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-gb", dest="gradebook", action="store_false")
    parser.add_argument("--force", action="store_true")
