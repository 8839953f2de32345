"""`ngshare-fs import`: take another exchange over."""

import argparse
from collections.abc import Mapping
from typing import Protocol

from ngshare_fs.command.moving import import_nbgrader, import_ngshare
from ngshare_fs.command.output import STOPPED, fail


class Source(Protocol):
    """What the module of each kind of exchange has; see `main.Command`."""

    @property
    def HELP(self) -> str: ...

    @property
    def DESCRIPTION(self) -> str: ...

    def add_words(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, given: argparse.Namespace) -> int: ...


SOURCES: Mapping[str, Source] = {"ngshare": import_ngshare, "nbgrader": import_nbgrader}

HELP = "take over what another exchange has"
DESCRIPTION = "Take over what another exchange has: courses, people, releases, submissions, feedback."


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its sources."""
    sources = parser.add_subparsers(dest="source", required=True, metavar="SOURCE")
    for name, source in SOURCES.items():
        words = sources.add_parser(name, help=source.HELP, description=source.DESCRIPTION, allow_abbrev=False)
        source.add_words(words)


def run(given: argparse.Namespace) -> int:
    """Take it over.

    Returns:
        The exit code.

    Raises:
        SettingsError: an option or value is wrong.
    """
    try:
        return SOURCES[given.source].run(given)
    except KeyboardInterrupt:
        # What was begun is finished or gone; nothing is half there.
        return fail("stopped: what was taken over until then stays. Run this again, and it goes on", STOPPED)
