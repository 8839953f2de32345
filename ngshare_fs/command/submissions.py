"""`ngshare-fs submissions`: what one has handed in, listed and brought back."""

import argparse
import json
import logging
import os
import sys
from typing import TYPE_CHECKING

from ngshare_fs.command.output import fail
from ngshare_fs.terminal.installation import how_to_install
from ngshare_fs.terminal.saying import counted, say

if TYPE_CHECKING:
    from ngshare_fs.exchange.connection.exchange_api import ExchangeApi

HELP = "what you have handed in: list it, or bring it back"
DESCRIPTION = "What you have handed in: list it, or bring it back."
PATIENCE_SECONDS = 120.0


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its actions."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listed = commands.add_parser(
        "list", help="show what you have handed in", allow_abbrev=False, description="Show what you have handed in."
    )
    listed.add_argument("course", metavar="COURSE", nargs="?", default="", help="only to this course")
    listed.add_argument("assignment", metavar="ASSIGNMENT", nargs="?", default="", help="only to this assignment")
    listed.add_argument("--json", action="store_true", help="as JSON, for programs")

    fetched = commands.add_parser(
        "fetch", help="bring back what you have handed in", allow_abbrev=False,
        description="Bring back what you have handed in, every file as it was.",
    )  # fmt: skip
    fetched.add_argument("course", metavar="COURSE")
    fetched.add_argument("assignment", metavar="ASSIGNMENT")
    fetched.add_argument("--timestamp", default="", help="which submission, as `list` shows it; the newest if left out")
    fetched.add_argument(
        "--to", metavar="FOLDER", default="", help="a folder that is not there yet; named after ASSIGNMENT if left out"
    )
    for command in (listed, fetched):
        command.add_argument(
            "--url", default="", help="of the server; looked for as nbgrader's plug-ins do where left out"
        )
        command.add_argument("--user", dest="acting_user", metavar="NAME", help="as whom, on a stand-alone server")


def run(given: argparse.Namespace) -> int:
    """Do what was told.

    Returns:
        The exit code: 0, or 1 where it was not done.
    """
    try:
        return _act(given)
    except ImportError as error:
        return fail(f"{error}: {how_to_install('client')}", 1)


def _act(given: argparse.Namespace) -> int:
    from ngshare_fs.exchange.connection.client import Client
    from ngshare_fs.exchange.connection.exchange_api import ExchangeApi
    from ngshare_fs.exchange.failures.problems import ServerProblem
    from ngshare_fs.exchange.folders.file_names import without_slash
    from ngshare_fs.exchange.folders.replacing import in_words
    from ngshare_fs.management import acting_user
    from ngshare_fs.management.gradebook import configuration

    here = None if given.url else configuration()
    try:
        found = acting_user.find(given.url or (here.url if here else ""), given.acting_user, os.environ)
        given.assignment = without_slash(given.assignment)
        api = ExchangeApi(Client(found, PATIENCE_SECONDS, logging.getLogger("ngshare_fs.submissions")))
        if given.action == "list":
            _list(api, given)
        else:
            _fetch(api, given)
    except ServerProblem as problem:
        say(f"ngshare-fs: {problem}", sys.stderr)
        return 1
    except OSError as error:
        say(f"ngshare-fs: {in_words(error)}. Nothing was fetched.", sys.stderr)
        return 1
    return 0


def _list(api: "ExchangeApi", given: argparse.Namespace) -> None:
    from ngshare_fs.exchange.connection.dates import span
    from ngshare_fs.exchange.own_submissions import own_submissions

    found = own_submissions(api, given.course, given.assignment)
    if given.json:
        entries = [
            {
                "course_id": own.course,
                "assignment_id": own.submission.assignment,
                "timestamp": own.submission.timestamp,
                "has_feedback": own.submission.has_feedback,
                "late_seconds": own.submission.late_seconds,
            }
            for own in found
        ]
        print(json.dumps(entries))
        return
    for own in found:
        late = f"  (late by {span(own.submission.late_seconds)})" if own.submission.late_seconds else ""
        feedback = "  (with feedback)" if own.submission.has_feedback else ""
        say(f"{own.course}  {own.submission.assignment}  {own.submission.timestamp}{late}{feedback}")
    if not found:
        say("You have handed in nothing there.", sys.stderr)


def _fetch(api: "ExchangeApi", given: argparse.Namespace) -> None:
    from ngshare_fs.exchange.own_submissions import bring_back

    done = bring_back(api, given.course, given.assignment, given.timestamp, given.to)
    say(f"Fetched what you handed in at {done.timestamp}: {counted(done.files, 'file')}, in {done.folder}")
