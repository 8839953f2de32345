"""The command `ngshare-fs`: serve, and the operator's tools."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol

from ngshare_fs import __version__
from ngshare_fs.command import course, doctor, serve, submissions
from ngshare_fs.command.moving import archive, export, import_, restore
from ngshare_fs.command.operator import inspect, log, migrate, prune, repair, trash, user, verify
from ngshare_fs.command.output import STOPPED, fail
from ngshare_fs.command.parser import OneLineParser
from ngshare_fs.settings import PROGRAM, SettingsError

WRONG_USE = 2


class Command(Protocol):
    """What each command's module has.

    Attributes:
        HELP: what it is for, in the list of commands.
        DESCRIPTION: the same at more length, in its own help.
    """

    @property
    def HELP(self) -> str: ...

    @property
    def DESCRIPTION(self) -> str: ...

    def add_words(self, parser: argparse.ArgumentParser) -> None:
        """Give the parser of the command its options or actions."""

    def run(self, given: argparse.Namespace) -> int:
        """Do it, and give the exit code.

        Raises:
            SettingsError: an option or value is wrong.
        """


COMMANDS: Mapping[str, Command] = {
    "serve": serve,
    "doctor": doctor,
    "inspect": inspect,
    "log": log,
    "trash": trash,
    "prune": prune,
    "verify": verify,
    "repair": repair,
    "migrate": migrate,
    "archive": archive,
    "restore": restore,
    "user": user,
    "import": import_,
    "export": export,
    "course": course,
    "submissions": submissions,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: the words after the command's name; those of the process by default.

    Returns:
        The exit code: 0 for success, 1 for a failure (`verify`: for findings), 2 for a wrong option or value, 130 for
        Ctrl-C.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        given = make_parser(next((word for word in words if word in COMMANDS), None)).parse_args(words)
        return COMMANDS[given.command].run(given)
    except SettingsError as error:
        return fail(str(error), WRONG_USE, words)
    except KeyboardInterrupt:
        return fail("stopped; it can be run again", STOPPED)


def make_parser(only: str | None = None) -> argparse.ArgumentParser:
    """The parser, its flags made from the table of options.

    Args:
        only: the one command whose words will be looked at: those of all take as long to make as importing a module.
    """
    parser = OneLineParser(
        prog=PROGRAM, description="An nbgrader exchange on a plain directory tree.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        words = commands.add_parser(name, help=command.HELP, description=command.DESCRIPTION, allow_abbrev=False)
        if only in (name, None):
            command.add_words(words)
    return parser
