"""`ngshare-fs verify`: check a data folder."""

import argparse

from ngshare_fs.command.operator.data_folder import DONE, SOMETHING_LEFT, add_data, data_folder
from ngshare_fs.settings import SettingsError
from ngshare_fs.terminal.saying import say

HELP = "check a data folder"
DESCRIPTION = (
    "Check a data folder: one line for each finding. Exit code 0: no findings; 1: findings; 2: it could not be checked."
)


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its options."""
    add_data(parser)


def run(given: argparse.Namespace) -> int:
    """Check, and print a line for each finding.

    Returns:
        The exit code: 0, or 1 where there are findings.

    Raises:
        SettingsError: there is no folder to check, or it cannot be checked.
    """
    folder = data_folder(given)
    from ngshare_fs.store import VolumeError
    from ngshare_fs.store.checking.verify import verify_volume

    found = 0
    try:
        for finding in verify_volume(folder):
            say(f"{finding.code} {finding.path}: {finding.message}")
            found += 1
    except (VolumeError, OSError) as error:
        raise SettingsError(str(error)) from None
    if not found:
        print("no findings")
    return SOMETHING_LEFT if found else DONE
