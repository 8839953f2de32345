"""The words of `ngshare-fs course dates` and `ngshare-fs course extend`."""

import argparse
from pathlib import Path

from ngshare_fs.settings import SettingsError

DATES_HELP = "show when assignments are released, due and closed, or set it"
EXTEND_HELP = "give a student more time for an assignment, or take that back"
_TIMES = (
    "A time is 2026-11-15 23:59:59 Europe/Vienna; without a zone, the course's is meant; a date alone is the end of it."
)
_SETTINGS = {
    "release": "before it, students do not see the assignment",
    "due": "until then, work is in time",
    "close": "until then, work is accepted",
    "grace": "what is late by no more than this is in time: 5m, 1h30m",
}


def add_words_of_dates(parser: argparse.ArgumentParser) -> None:
    """Give the parser of `dates` its words."""
    parser.epilog = f"{_TIMES} 'none' removes a date."
    parser.add_argument(
        "assignment", metavar="ASSIGNMENT", nargs="?", help="only this one; all of the course otherwise"
    )
    for name, meaning in _SETTINGS.items():
        parser.add_argument(f"--{name}", metavar="DURATION" if name == "grace" else "TIME", help=meaning)
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")


def add_words_of_extensions(parser: argparse.ArgumentParser) -> None:
    """Give the parser of `extend` its words."""
    parser.epilog = f"{_TIMES} What is given takes the place of what was given before."
    parser.add_argument("assignment", metavar="ASSIGNMENT")
    parser.add_argument("user", metavar="USER", nargs="?", help="who gets it, where no file says so")
    parser.add_argument("--until", metavar="TIME", help="until then, their work is in time, and accepted")
    parser.add_argument("--close", metavar="TIME", help="until then, it is accepted though late")
    parser.add_argument("--reason", metavar="TEXT", help="they and the course's instructors and graders see it")
    parser.add_argument("--take-back", action="store_true", help="let the assignment's own dates count for them again")
    parser.add_argument("--file", metavar="FILE.csv", type=Path, help="its first row: user,until,close,reason")
    parser.add_argument(
        "--columns",
        action="append",
        default=[],
        metavar="user=HEADING,...",
        help="what the file calls user, until, close or reason, where its headings do not say it",
    )
    parser.add_argument("--dry-run", action="store_true", help="only show what would be done")


def check(given: argparse.Namespace) -> None:
    """Look whether words go together.

    Raises:
        SettingsError: they do not.
    """
    if given.action == "dates" and given.assignment is None:
        for name in _SETTINGS:
            if getattr(given, name) is not None:
                raise SettingsError(f"--{name} sets the date of one assignment: name it behind the course")
    if given.action == "dates":
        for name in _SETTINGS:
            # As where a script's variable is not set.
            if getattr(given, name) is not None and not getattr(given, name).strip():
                raise SettingsError(f"--{name} is empty; to remove it, say --{name} none")
    if given.action == "extend":
        _check_extension(given)


def _check_extension(given: argparse.Namespace) -> None:
    said = [f"--{name}" for name in ("until", "close", "reason") if getattr(given, name) is not None]
    if given.file is not None:
        said += [word for word, is_there in (("USER", given.user), ("--take-back", given.take_back)) if is_there]
        if said:
            raise SettingsError(f"--file says who gets how much time, so {said[0]} cannot be given with it")
        return
    if given.columns:
        raise SettingsError("--columns is about a file: name it with --file")
    if not given.user:
        raise SettingsError("whose extension is it? Name a user behind the assignment, or a file with --file")
    if given.take_back and said:
        raise SettingsError(f"--take-back takes all of an extension back, so {said[0]} cannot be given with it")
    if not given.take_back and not (given.until or given.close):
        raise SettingsError("until when? Say it with --until TIME, with --close TIME, or --take-back")
