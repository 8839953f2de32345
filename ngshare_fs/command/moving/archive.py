"""`ngshare-fs archive`: a course whole in one file."""

import argparse
import os
import sys
from typing import TYPE_CHECKING

from ngshare_fs.command.operator.data_folder import (
    DONE,
    SOMETHING_LEFT,
    add_data,
    add_dry_run,
    add_json,
    data_folder,
    opened,
    opened_for_reading,
    operator,
)
from ngshare_fs.command.operator.document import print_document
from ngshare_fs.command.operator.failures import checked_name, not_done, reason
from ngshare_fs.command.output import STOPPED, fail
from ngshare_fs.settings import SettingsError
from ngshare_fs.store import StoreError, Volume
from ngshare_fs.terminal.confirmation import NotConfirmed, confirm
from ngshare_fs.terminal.progress import progress
from ngshare_fs.terminal.saying import counted, say
from ngshare_fs.terminal.table import size_in_words

if TYPE_CHECKING:
    from ngshare_fs.transfer.archive.layout import Description
    from ngshare_fs.transfer.archive.listing import Listing

HELP = "write a course whole into one file, and remove it from the volume if wanted"
DESCRIPTION = (
    "Write a course with all that was handed in and out, and its journal, into one file that tar can read. The file is "
    "read back and compared before it gets its name. With --remove, the course is then moved to the trash, unless "
    "something was found in it or changed in it meanwhile. Exit code 0: done; 1: `verify` finds something in the "
    "course, or it could not be archived or removed; 2: wrong use, or no such course."
)


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its options."""
    parser.add_argument("course", metavar="COURSE")
    parser.add_argument("file", metavar="FILE.tar.zst", help="a file that is not there yet, outside of the data folder")
    parser.add_argument("--remove", action="store_true", help="move the course to the trash afterwards")
    parser.add_argument("--yes", action="store_true", help="do not ask before it is removed")
    add_dry_run(parser)
    add_data(parser)
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    """Archive, and remove where that is wanted.

    Returns:
        The exit code: 0, or 1 where something was found, or was not done.

    Raises:
        SettingsError: the words are wrong, or the folder is no volume.
    """
    from ngshare_fs.transfer.archive.broken import BrokenArchive
    from ngshare_fs.transfer.archive.listing import ChangedMeanwhile

    checked_name(given.course)
    _check_file(given)
    # To archive, nothing has to be written on the volume: it may be a backup.
    with (opened if given.remove and not given.dry_run else opened_for_reading)(given) as volume:
        try:
            return _archive(volume, given)
        except ChangedMeanwhile as change:
            return fail(f"{change} was changed or moved while the course was read: run this again", SOMETHING_LEFT)
        except BrokenArchive as problem:
            return fail(f"{given.file} could not be read back: {problem}; it was removed", SOMETHING_LEFT)
        except FileExistsError as error:
            return fail(f"{error.filename} is there already: give another name, or remove it", SOMETHING_LEFT)
        except (NotConfirmed, StoreError, OSError) as error:
            return not_done(error)
        except KeyboardInterrupt:
            return fail("stopped: an unfinished archive was removed. Run this again.", STOPPED)


def _check_file(given: argparse.Namespace) -> None:
    if given.file == "-":
        raise SettingsError("an archive is read back before it counts, so it has to be a file: give its name")
    target = os.path.abspath(given.file)
    if os.path.isdir(target):
        raise SettingsError(f"{given.file} is a folder: give the name of a file in it")
    if os.path.lexists(target):
        raise SettingsError(f"{given.file} is there already: give another name, or remove it")
    if not os.path.isdir(os.path.dirname(target)):
        raise SettingsError(f"{os.path.dirname(target)}: no such folder")
    data = os.path.realpath(data_folder(given))
    if os.path.commonpath([data, os.path.realpath(os.path.dirname(target))]) == data:
        raise SettingsError(f"{given.file} is inside of the data folder, where it does not belong: give another place")


def _archive(volume: Volume, given: argparse.Namespace) -> int:
    from ngshare_fs.store import course
    from ngshare_fs.store.errors import CourseNotFound
    from ngshare_fs.transfer.archive.listing import Listing
    from ngshare_fs.transfer.archive.writing import describe

    if not course.exists(volume, given.course):
        raise CourseNotFound(given.course)
    with Listing(volume, given.course) as listing:
        if not listing.counts["folders"]:
            raise CourseNotFound(given.course)  # a link, say, which nobody follows
        description = describe(listing, given.course, operator())
        if given.dry_run:
            _say_plan(given, description)
            return DONE
        if given.remove:
            question = f"Archive {given.course} to {given.file}, and move it to the trash?"
            confirm(question, given.yes)
        return _write_and_remove(volume, given, listing, description)


def _write_and_remove(volume: Volume, given: argparse.Namespace, listing: "Listing", description: "Description") -> int:
    from pathlib import Path

    from ngshare_fs.transfer.archive.damage import damage_in
    from ngshare_fs.transfer.archive.writing import write_archive

    findings = []
    for finding in damage_in(Path(volume.root), given.course):
        findings.append(finding)
        say(f"{finding.code} {finding.path}: {finding.message}", sys.stderr)
    with progress("archiving", 2 * description.size) as told:
        written = write_archive(volume, listing, description, given.file, told)
    for path in written.damaged:
        say(f"damaged {path}: it is not as its manifest says, or neither a file nor a folder", sys.stderr)
    is_whole = not findings and not written.damaged
    why_not = _remove(volume, given, listing) if given.remove and is_whole else ""
    if given.remove and not is_whole:
        why_not = "because of what was found in it; mend it (`ngshare-fs verify`), or delete it yourself"
    if given.json:
        document = {
            "dry_run": False,
            **_counts(description),
            "file": given.file,
            "file_bytes": written.size,
            "findings": [{"code": each.code, "path": each.path, "message": each.message} for each in findings],
            "damaged": written.damaged,
            "removed": given.remove and not why_not,
        }
        print_document(document)
    else:
        say(f"{given.file}: {_in_words(description)}, in {size_in_words(written.size)}; read back, and compared")
        if given.remove and not why_not:
            say(f"{given.course} is in the trash")
    if why_not:
        say(f"ngshare-fs: {given.course} stays where it is, {why_not}", sys.stderr)
    if not is_whole:
        say("ngshare-fs: to bring it back as it is, `restore` will want --damaged", sys.stderr)
    return DONE if is_whole and not why_not else SOMETHING_LEFT


def _remove(volume: Volume, given: argparse.Namespace, listing: "Listing") -> str:
    """Move the course to the trash; gives the reason where it has to stay, for a sentence."""
    from ngshare_fs.store import course
    from ngshare_fs.store.journal import Event, record
    from ngshare_fs.transfer.archive.listing import ChangedMeanwhile

    try:
        course.delete_unless(volume, given.course, operator(), listing.check_unchanged)
    except ChangedMeanwhile as change:
        return f"for it was changed meanwhile: {change}; archive it again, to another file"
    except (StoreError, OSError) as error:
        return f"though archived: {reason(error)}"
    record(volume, Event("archive", operator(), "command", given.course, detail=os.path.basename(given.file)))
    return ""


def _say_plan(given: argparse.Namespace, description: "Description") -> None:
    if given.json:
        document = {"dry_run": True, **_counts(description), "file": given.file, "would_remove": given.remove}
        print_document(document)
        return
    say(f"would archive {_in_words(description)} to {given.file}")
    if given.remove:
        say(f"would move {given.course} to the trash")


def _counts(description: "Description") -> dict[str, object]:
    return {
        "course": description.course,
        "assignments": description.assignments,
        "releases": description.releases,
        "submissions": description.submissions,
        "feedback": description.feedback,
        "files": description.files,
        "bytes": description.size,
    }


def _in_words(description: "Description") -> str:
    parts = [
        counted(description.assignments, "assignment"),
        counted(description.releases, "release"),
        counted(description.submissions, "submission"),
        f"{counted(description.feedback, 'piece')} of feedback",
    ]
    return f"{description.course} with {', '.join(parts)}; {size_in_words(description.size)}"
