"""`ngshare-fs restore`: a course back from its archive."""

import argparse
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

from ngshare_fs.command.operator.data_folder import (
    DONE,
    SOMETHING_LEFT,
    add_data,
    add_dry_run,
    add_json,
    opened_for_change,
    operator,
)
from ngshare_fs.command.operator.document import print_document
from ngshare_fs.command.operator.failures import checked_name, not_done
from ngshare_fs.command.output import STOPPED, fail
from ngshare_fs.settings import SettingsError
from ngshare_fs.store import StoreError, Volume
from ngshare_fs.terminal.progress import progress
from ngshare_fs.terminal.saying import say
from ngshare_fs.terminal.table import size_in_words, table

if TYPE_CHECKING:
    from ngshare_fs.transfer.archive.layout import Description
    from ngshare_fs.transfer.archive.reading import ArchiveReader

HELP = "bring a course back from its archive"
DESCRIPTION = (
    "Bring a course back from the file that `archive` made. All of the file is checked before anything of the course "
    "appears. Exit code 0: done, or the archive is whole; 1: it was not done, and nothing was changed; 2: wrong use."
)
KINDS = ("releases", "submissions", "feedback")


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its options."""
    parser.add_argument("file", metavar="FILE", help="the archive: compressed, or unpacked with `zstd -d`")
    parser.add_argument("--as", dest="name", metavar="NAME", help="another name for the course")
    parser.add_argument("--list", action="store_true", help="only check the file, and say what is in it")
    parser.add_argument("--damaged", action="store_true", help="also where `verify` finds something in the course")
    add_dry_run(parser)
    add_data(parser)
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    """Restore, or look at the archive.

    Returns:
        The exit code: 0, or 1 where it was not done.

    Raises:
        SettingsError: the words are wrong, or the folder is no volume.
    """
    from ngshare_fs.store.errors import CourseExists
    from ngshare_fs.transfer.archive.broken import BrokenArchive
    from ngshare_fs.transfer.archive.restoring import Damaged, NoRoom

    if given.name is not None:
        checked_name(given.name)
    if not os.path.lexists(given.file):
        raise SettingsError(f"{given.file}: no such file")
    if os.path.isdir(given.file):
        raise SettingsError(f"{given.file} is a folder: give the name of an archive in it")
    if not os.path.isfile(given.file):  # a pipe would be waited for
        raise SettingsError(f"{given.file} is a pipe, a socket or a device: give the name of a file")
    try:
        if given.list:
            return _list(given)
        with opened_for_change(given) as volume:
            return _try(volume, given) if given.dry_run else _restore(volume, given)
    except BrokenArchive as problem:
        return fail(f"{given.file}: {problem}. Nothing was changed.", SOMETHING_LEFT)
    except NoRoom as problem:
        return fail(f"{problem}: make room, then run this again. Nothing was changed.", SOMETHING_LEFT)
    except CourseExists as error:
        said = f"there is a course {str(error)!r} already: move it away, or restore under another name (--as NAME)"
        return fail(f"{said}. Nothing was changed.", SOMETHING_LEFT)
    except Damaged as damage:
        for finding in damage.findings:
            say(f"{finding.code} {finding.path}: {finding.message}", sys.stderr)
        said = "so it was in the course when that was archived; --damaged restores it as it is. Nothing was changed."
        return fail(said, SOMETHING_LEFT)
    except (StoreError, OSError) as error:
        return not_done(error)
    except KeyboardInterrupt:
        return fail("stopped: the course is there whole, or not at all", STOPPED)


def _restore(volume: Volume, given: argparse.Namespace) -> int:
    from ngshare_fs.store.journal import Event, record
    from ngshare_fs.transfer.archive.reading import opened_archive
    from ngshare_fs.transfer.archive.restoring import restore

    with opened_archive(given.file) as archive:
        name = given.name or archive.description.course
        with progress("restoring", archive.description.size) as told:
            findings = restore(volume, archive, name, given.damaged, told)
        description = archive.description
    detail = f"{os.path.basename(given.file)}, archived {description.time}"
    record(volume, Event("restore", operator(), "command", name, detail=detail))
    for finding in findings:
        say(f"{finding.code} {finding.path}: {finding.message}", sys.stderr)
    if given.json:
        listed = [{"code": each.code, "path": each.path, "message": each.message} for each in findings]
        print_document({"dry_run": False, **_described(name, description), "findings": listed})
    else:
        say(f"{name} is restored as it was on {description.time}")
    return DONE


def _try(volume: Volume, given: argparse.Namespace) -> int:
    from ngshare_fs.transfer.archive.reading import opened_archive
    from ngshare_fs.transfer.archive.restoring import check_place, check_room

    with opened_archive(given.file) as archive:
        name = given.name or archive.description.course
        check_place(volume, name)
        check_room(volume, archive.description)
        _, damaged = _read(archive)
        description = archive.description
    for path in damaged:
        say(f"damaged {path}: it is not as its manifest says", sys.stderr)
    if given.json:
        print_document({"dry_run": True, **_described(name, description), "damaged": damaged})
    else:
        say(f"would restore {name} as it was on {description.time}: {size_in_words(description.size)}")
    if damaged and not given.damaged:
        return fail("restoring this takes --damaged", SOMETHING_LEFT)
    return DONE


def _list(given: argparse.Namespace) -> int:
    from ngshare_fs.transfer.archive.reading import opened_archive

    with opened_archive(given.file) as archive:
        assignments, damaged = _read(archive)
        description = archive.description
    for path in damaged:
        say(f"damaged {path}: it is not as its manifest says", sys.stderr)
    if given.json:
        document = {
            "course": description.course,
            "archived": description.time,
            "by": description.by,
            "program": description.program,
            "files": description.files,
            "bytes": description.size,
            "assignments": [
                {"assignment": name, **{kind: counts[kind] for kind in KINDS}, "bytes": counts["size"]}
                for name, counts in assignments.items()
            ],
            "damaged": damaged,
        }
        print_document(document)
    else:
        say(f"{description.course}, archived {description.time} by {description.by} with {description.program}")
        rows = [
            (name, *(counts[kind] for kind in KINDS), size_in_words(counts["size"]))
            for name, counts in assignments.items()
        ]
        print(table(("assignment", *KINDS, "size"), rows, right=(*KINDS, "size")))
    return SOMETHING_LEFT if damaged else DONE


def _read(archive: "ArchiveReader") -> tuple[dict[str, Counter[str]], list[str]]:
    """Check all of an archive.

    Returns:
        for each assignment how much it has; and the paths of what is not as its manifest says.
    """
    from ngshare_fs.transfer.archive.manifests import ManifestCheck
    from ngshare_fs.transfer.archive.summary import Summary

    check, summary = ManifestCheck(), Summary()
    with progress("checking", archive.description.size) as told:
        for piece in archive.pieces(told):
            summary.see(piece)
            check.see(piece)
    return summary.assignments, check.end()


def _described(name: str, description: "Description") -> dict[str, object]:
    return {
        "course": name,
        "archived_as": description.course,
        "archived": description.time,
        "bytes": description.size,
    }
