"""`ngshare-course-management`, so that old notes keep working."""

import argparse
import sys
from collections.abc import Sequence

from ngshare_fs.command.course import add_course, add_file
from ngshare_fs.terminal.installation import how_to_install

PROGRAM = "ngshare-course-management"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it.

    Args:
        arguments: the words after the command's name; those of the process by default.

    Returns:
        The exit code: 0, or 1 where it was not done.
    """
    try:
        from ngshare_fs.management.actions import run
    except ImportError as error:
        print(f"{PROGRAM}: {error}: {how_to_install('client')}", file=sys.stderr)
        return 1
    return run(old_parser().parse_args(arguments))


def old_parser() -> argparse.ArgumentParser:
    """The parser of `ngshare-course-management`, whose words end up as those of `ngshare-fs course`."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="ngshare's old command; the new one is `ngshare-fs course`."
    )
    parser.set_defaults(url="", acting_user=None, columns=[])
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=f"as `ngshare-fs course {name.replace('_', '-')}`")
        add_course(command)
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
    add_file(add_students)
    _old_gradebook(add_students)
    remove_students = add("remove_students")
    remove_students.add_argument("users", metavar="STUDENT", nargs="+")
    _old_gradebook(remove_students)
    return parser


def _old_gradebook(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-gb", dest="gradebook", action="store_false")
    parser.add_argument("--force", action="store_true")
