"""Releasing by browser: a new assignment, or new files of one that is there."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.roster_files.characters import wrong_in_name
from ngshare_fs.store import AssignmentFile, assignment, dates, release
from ngshare_fs.store.errors import BrokenManifest, WrongDates
from ngshare_fs.web.chosen_files import FILES, ZIP, explained, tidied
from ngshare_fs.web.frame.page import Chosen, Done, Field, Form, Page, Prepared, UploadForm, Wrong
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.instructor.assignment.manage import MANAGE
from ngshare_fs.web.instructor.assignment.set_dates import FIELDS, NAMES, changes_in
from ngshare_fs.web.student.course import COURSE

API = "assignment/{course}/{assignment}"
NEW = "pages/release-new/{course}/{assignment}"
ANEW = "pages/release-anew/{course}/{assignment}"


def read_name(visit: Visit) -> Mapping[str, Any]:
    """Where we are; the name is asked for first, since all that follows has it in its address."""
    return {"names": {"course": visit.course}}


def name_it(visit: Visit, values: Mapping[str, str]) -> Done:
    """Lead to the page that takes the files."""
    name = values["assignment"].strip()
    if wrong_in_name(name) is not None:
        raise Wrong({"assignment": "wrong.assignment-name"})
    if assignment.exists(visit.volume, visit.course, name):
        raise Wrong({"assignment": "wrong.assignment-exists"})
    return Done(NEW, {"course": visit.course, "assignment": name}, "")


RELEASE = Page(
    "pages/release/{course}",
    Who.INSTRUCTOR,
    "release",
    read_name,
    under=COURSE,
    forms=(Form("name", name_it, (Field("assignment", 200),)),),
)


def read(visit: Visit) -> Mapping[str, Any]:
    """What is released now, and what may be sent."""
    there = assignment.exists(*visit.asking.work)
    return {
        "names": dict(visit.asking.names),
        "is_there": there,
        "files": _released(visit) if there else (),
        "max_files": visit.settings.max_files,
        "max_request": visit.settings.max_request,
    }


def prepare_new(visit: Visit, values: Mapping[str, str], chosen: Chosen) -> Prepared:
    """Look at the dates before the API does, so that each problem stands beside its field."""
    if assignment.exists(*visit.asking.work) and release.is_open(*visit.asking.work):
        raise Wrong({FILES: "wrong.assignment-exists"})
    changes = changes_in(visit, values)
    try:
        dates.changed(AssignmentFile(), changes)
    except WrongDates as error:
        raise Wrong({"due": error.args[0]}) from None
    if not chosen:
        raise Wrong({FILES: "wrong.no-release"})
    written = {name: text for name in NAMES if (text := values[name].strip())}
    return Prepared(written, tidied(chosen, ()))


def prepare_anew(visit: Visit, values: Mapping[str, str], chosen: Chosen) -> Prepared:
    """What was chosen is all of the new release."""
    if not chosen:
        raise Wrong({FILES: "wrong.no-release"})
    return Prepared({}, tidied(chosen, _released(visit)))


def done(visit: Visit, answer: Mapping[str, Any]) -> Done:
    """Lead to the assignment."""
    return Done(MANAGE.path, visit.asking.names, "released")


def _released(visit: Visit) -> tuple[str, ...]:
    """The paths of what is released now, or was before it was taken back; none where nobody can read them."""
    tree = None
    with suppress(BrokenManifest):  # to release anew is what mends it
        tree = release.newest(*visit.asking.work)
    if tree is None:
        return ()
    with tree:
        return tuple(file.path for file in tree.manifest.files)


RELEASE_NEW = Page(
    NEW,
    Who.INSTRUCTOR,
    "release_new",
    read,
    under=COURSE,
    new_assignment=True,
    upload=UploadForm(("POST", API), prepare_new, done, FIELDS, frozenset({ZIP}), explained),
)
RELEASE_ANEW = Page(
    ANEW,
    Who.INSTRUCTOR,
    "release_anew",
    read,
    under=MANAGE,
    upload=UploadForm(("PUT", API), prepare_anew, done, (), frozenset({ZIP}), explained),
)
