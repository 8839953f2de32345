"""`ngshare-fs doctor`: look for what keeps a server from working."""

import argparse
import os

from ngshare_fs.command.parser import add_options, flags_in
from ngshare_fs.settings import SettingsError, read_settings
from ngshare_fs.settings.values import token_of_file
from ngshare_fs.terminal.saying import say

HELP = "look for what keeps a server from working"
DESCRIPTION = (
    "Look at volume, hub, token, roles and routes of a server with these options, which are those of `serve`. "
    "Exit code 0: all is fine; 1: something is wrong; 2: a wrong option."
)
USER_TOKEN_FILE = "--user-token-file"  # noqa: S105 - the name of an option


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its options."""
    parser.add_argument(
        USER_TOKEN_FILE, metavar="FILE", default=argparse.SUPPRESS, help="a file with the token of a user, to try it"
    )
    add_options(parser)


def run(given: argparse.Namespace) -> int:
    """Look, and print a line for each thing that was looked at.

    Returns:
        The exit code: 0, or 1 where something is wrong.

    Raises:
        SettingsError: an option or value is wrong.
    """
    flags = flags_in(given)
    file = flags.pop(USER_TOKEN_FILE.removeprefix("--"), None)
    try:
        user_token = None if file is None else token_of_file(file)
    except ValueError as error:
        raise SettingsError(f"{USER_TOKEN_FILE}: {error}") from None
    settings = read_settings(flags, os.environ)
    from ngshare_fs.command.examination import examine, lines_of

    results = examine(settings, user_token)
    for line in lines_of(results):
        say(line)
    return 1 if any(result.ok is False for result in results) else 0
