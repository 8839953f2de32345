"""`ngshare-fs course rename`: a course gets another name, on the volume itself."""

import argparse

from ngshare_fs.command.operator.data_folder import (
    DONE,
    add_data,
    add_dry_run,
    add_json,
    opened_for_change,
    operator,
)
from ngshare_fs.command.operator.document import print_document
from ngshare_fs.command.operator.failures import checked_name, not_done
from ngshare_fs.settings import SettingsError
from ngshare_fs.store import StoreError, Volume
from ngshare_fs.terminal.saying import say

HELP = "give a course another name, on the data folder itself"
DESCRIPTION = (
    "Give a course another name, on the data folder itself; servers may run. What was handed in stays in it. Exit code "
    "0: done; 1: it could not be done; 2: wrong use, or no such course."
)


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the action its options."""
    parser.add_argument("old", metavar="OLD")
    parser.add_argument("new", metavar="NEW")
    add_dry_run(parser)
    add_data(parser)
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    """Rename.

    Returns:
        The exit code: 0, or 1 where it was not done.

    Raises:
        SettingsError: the words are wrong, or the folder is no volume.
    """
    old, new = checked_name(given.old), checked_name(given.new)
    if old == new:
        raise SettingsError(f"{old} is its name already")
    with opened_for_change(given) as volume:
        try:
            _rename(volume, old, new, given.dry_run)
        except (StoreError, OSError) as error:
            return not_done(error)
    if given.json:
        print_document({"dry_run": given.dry_run, "old": old, "new": new})
    else:
        say(f"would rename {old} to {new}" if given.dry_run else f"{old} is {new} from now on")
    return DONE


def _rename(volume: Volume, old: str, new: str, is_dry: bool) -> None:
    from ngshare_fs.store.journal import Event, record
    from ngshare_fs.store.renaming.course_renaming import check_rename, rename

    if is_dry:
        check_rename(volume, old, new)
        return
    rename(volume, old, new)
    record(volume, Event("rename-course", operator(), "command", new, detail=f"from {old}"))
