"""The command `ngshare-fs`: serve, and the operator's tools."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ngshare_fs import __version__
from ngshare_fs.command.submissions import add_submissions_commands
from ngshare_fs.command.submissions import run as bring_back_submissions
from ngshare_fs.management.arguments import add_course_commands
from ngshare_fs.server.sockets import Handover, ListenError
from ngshare_fs.settings.options import (
    BY_NAME,
    CONFIG_VARIABLE,
    OPTIONS,
    PROGRAM,
    Raw,
    Settings,
    SettingsError,
    near_match,
    read_settings,
    token_of_file,
)
from ngshare_fs.terminal.installation import how_to_install
from ngshare_fs.terminal.logs import LOG, set_up
from ngshare_fs.terminal.one_line import say

WRONG_USE = 2
USER_TOKEN_FILE = "--user-token-file"  # noqa: S105 - the name of an option


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage of twenty lines before it."""

    def error(self, message: str) -> NoReturn:
        unknown = re.fullmatch(r"unrecognized arguments: --([^ =]+).*", message, re.DOTALL)
        if unknown:
            message = f"--{unknown[1]} is no option{near_match(unknown[1], list(BY_NAME), '--')}"
        raise SettingsError(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: the words after the command's name; those of the process by default.

    Returns:
        The exit code: 0 for success, 1 for a failure (`verify`: for findings), 2 for a wrong option or value.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        given = make_parser().parse_args(words)
        if given.command == "verify":
            return _verify(given.data)
        if given.command == "course":
            return _course(given)
        if given.command == "submissions":
            return _submissions(given)
        flags = {name.replace("_", "-"): value for name, value in vars(given).items() if name != "command"}
        if given.command == "doctor":
            return _doctor(flags)
        return _serve(flags)
    except SettingsError as error:
        return _fail(str(error), WRONG_USE, words)


def make_parser() -> argparse.ArgumentParser:
    """The parser, its flags made from the table of options."""
    parser = OneLineParser(
        prog=PROGRAM, description="An nbgrader exchange on a plain directory tree.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve", help="serve the exchange", allow_abbrev=False, argument_default=argparse.SUPPRESS,
        description="Serve the exchange. Every option can also be set as NGSHARE_FS_* in the environment, or in "
        "a YAML file; a flag counts before the environment, the environment before the file.",
    )  # fmt: skip
    _add_options(serve)
    doctor = commands.add_parser(
        "doctor", help="look for what keeps a server from working", allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
        description="Look at volume, hub, token, roles and routes of a server with these options, which are those of "
        "`serve`. Exit code 0: all is fine; 1: something is wrong; 2: a wrong option.",
    )  # fmt: skip
    doctor.add_argument(USER_TOKEN_FILE, metavar="FILE", help="a file with the token of a user, to try it")
    _add_options(doctor)
    verify = commands.add_parser(
        "verify", help="check a data folder", allow_abbrev=False,
        description="Check a data folder: one line for each finding. "
        "Exit code 0: no findings; 1: findings; 2: it could not be checked.",
    )  # fmt: skip
    verify.add_argument("--data", metavar="DIR", help=f"the data folder (or {BY_NAME['data'].variable})")
    course = commands.add_parser("course", help="courses and rosters on a server, as the signed-in user")
    add_course_commands(course)
    submissions = commands.add_parser("submissions", help="what you have handed in: list it, or bring it back")
    add_submissions_commands(submissions)
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help=f"a YAML file with options (or {CONFIG_VARIABLE})")
    for option in OPTIONS:
        default = (option.default_text or option.default or "").replace("`", "")
        text = f"{option.help.replace('`', '')} (default: {default})".replace("%", "%%")
        if option.is_switch:
            parser.add_argument(option.flag, action=argparse.BooleanOptionalAction, help=text)
        else:
            parser.add_argument(option.flag, metavar=option.metavar, help=text)


def _course(given: argparse.Namespace) -> int:
    try:
        from ngshare_fs.management.actions import run
    except ImportError as error:
        return _fail(f"{error}: {how_to_install('client')}", 1)
    return run(given)


def _submissions(given: argparse.Namespace) -> int:
    try:
        return bring_back_submissions(given)
    except ImportError as error:
        return _fail(f"{error}: {how_to_install('client')}", 1)


def _serve(flags: dict[str, Raw]) -> int:
    def read() -> Settings:
        return read_settings(flags, os.environ)

    handover = Handover.take(os.environ)
    settings = read_settings(flags, os.environ, handover.file())
    set_up(settings.log_format, settings.debug)
    # Imported where they are used: a supervisor does without aiohttp, and `--help` without either.
    if settings.workers > 1 and handover.role not in ("worker", "rehearsal"):
        from ngshare_fs.server.supervisor import supervise

        try:
            return supervise(settings, handover, read)
        except ListenError as error:
            return _fail(str(error), 1, log_format=settings.log_format)
    from ngshare_fs.server.worker import rehearse, serve
    from ngshare_fs.store import VolumeError

    try:
        return rehearse(settings) if handover.role == "rehearsal" else serve(settings, handover)
    except (ListenError, VolumeError) as error:
        return _fail(str(error), 1, log_format=settings.log_format)


def _doctor(flags: dict[str, Raw]) -> int:
    file = flags.pop(USER_TOKEN_FILE.removeprefix("--"), None)
    try:
        user_token = None if file is None else token_of_file(file)
    except ValueError as error:
        raise SettingsError(f"{USER_TOKEN_FILE}: {error}") from None
    settings = read_settings(flags, os.environ)
    from ngshare_fs.command.doctor import examine, lines_of

    observations = examine(settings, user_token)
    for line in lines_of(observations):
        say(line)
    return 1 if any(observation.fine is False for observation in observations) else 0


def _verify(data: str | None) -> int:
    data = data or os.environ.get(BY_NAME["data"].variable)
    if not data:
        raise SettingsError(f"verify: name the data folder with --data DIR or {BY_NAME['data'].variable}")
    if not Path(data).is_dir():
        raise SettingsError(f"{data}: no such folder")
    from ngshare_fs.store import VolumeError
    from ngshare_fs.store.checking.verify import verify_volume

    found = 0
    try:
        for finding in verify_volume(Path(data)):
            say(f"{finding.code} {finding.path}: {finding.message}")
            found += 1
    except (VolumeError, OSError) as error:
        raise SettingsError(str(error)) from None
    if not found:
        print("no findings")
    return 1 if found else 0


def _fail(message: str, code: int, words: Sequence[str] = (), log_format: str = "") -> int:
    """Say in one line why it ends; as JSON where that was asked for, as far as this can be known yet."""
    asked = re.search(r"--log-format[ =]json\b", " ".join(words)) or (
        os.environ.get(BY_NAME["log-format"].variable) == "json"
    )
    line = " ".join(message.split())
    if log_format == "json" or asked:
        set_up("json")
        LOG.critical("%s", line)
    else:
        print(f"{PROGRAM}: {line}", file=sys.stderr)
    return code
