"""Handing in by browser."""

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ngshare_fs.access import permission
from ngshare_fs.access.permission import Who
from ngshare_fs.formats.chosen_zip import UnfitZip
from ngshare_fs.formats.file_names import is_ignored, notebooks
from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import dates, release, submission
from ngshare_fs.store.errors import BrokenManifest
from ngshare_fs.web.chosen_files import FILES, IGNORED, ZIP, explained, tidied
from ngshare_fs.web.frame.page import Chosen, Done, Field, Page, Prepared, UploadForm, Wrong
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.student.assignment import ASSIGNMENT

# As many names of notebooks as any assignment has.
LONGEST_NAMES = 20_000
RECEIPT = "pages/receipt/{course}/{assignment}/{user}"


def read(visit: Visit) -> Mapping[str, Any]:
    """What has to be known before, and a key: what is sent with it, however often, is handed in once."""
    work = visit.asking.work
    applying = dates.as_far_as_known(*work, None if visit.teaches else visit.user)
    state = applying.state(visit.now)
    released = _released(visit)
    return {
        "course": visit.course,
        "assignment": visit.assignment,
        "dates": applying,
        "state": state,
        "may_hand_in": state != "closed" or visit.teaches,
        "notebooks": _expected(released),
        "folders": sorted({path.partition("/")[0] for path in released if "/" in path}),
        "fresh_key": secrets.token_hex(16),
        "newest": submission.newest_of(*work, visit.user),
        "max_files": visit.settings.max_files,
        "max_request": visit.settings.max_request,
        "ignored": IGNORED,
    }


def prepare(visit: Visit, values: Mapping[str, str], chosen: Chosen) -> Prepared:
    """Compare with the release and the dates: what is missing, or late, is handed in if that is meant."""
    released = _released(visit)
    files = tidied(chosen, released)
    expected = set(_expected(released))
    sent = set(notebooks(file.path for file in files))
    # Where no notebook is released, none is too many.
    missing, extra = sorted(expected - sent), sorted(sent - expected) if expected else []
    problems, told = {}, {}
    if not _names_in(values["although"]).issuperset(missing + extra):
        problems["although"] = "wrong.notebooks"
        told = {
            "missing": [in_one_line(name) for name in missing],
            "extra": [in_one_line(name) for name in extra],
            "although": json.dumps(missing + extra),
        }
    applying = dates.as_far_as_known(*visit.asking.work, visit.user)
    if applying.state(visit.now) == "late" and not values["late"]:
        problems["late"] = "wrong.late"
    if problems:
        raise Wrong(problems, told)
    return Prepared({"key": values["key"], "after": values["after"]}, files)


def done(visit: Visit, answer: Mapping[str, Any]) -> Done:
    """Lead to the receipt."""
    names = {**visit.asking.names, "user": answer["student_id"]}
    return Done(RECEIPT, names, "handed-in", len(answer["files"]), {"timestamp": answer["timestamp"]})


def explain(error: Refused | UnfitZip) -> Wrong | None:
    """What the form says of a refusal."""
    if isinstance(error, Refused) and error.refusal == refusals.ASSIGNMENT_CLOSED:
        return Wrong({}, status=error.refusal.status)  # the page says so, and since when
    if isinstance(error, Refused) and error.refusal == refusals.KEY_USED:
        return Wrong({FILES: "wrong.used"}, {"is_used": True}, error.refusal.status)
    return explained(error)


def _released(visit: Visit) -> Sequence[str]:
    """Paths of the newest release's files, as far as they may know."""
    shown = replace(visit.conditions, writes=False)
    try:
        if not permission.is_there(visit.asking, shown, visit.people):
            return ()
        tree = release.newest(*visit.asking.work)
    except BrokenManifest:
        return ()
    if tree is None:
        return ()
    with tree:
        return [file.path for file in tree.manifest.files]


def _expected(released: Collection[str]) -> list[str]:
    return sorted(path for path in notebooks(released) if not is_ignored(path, IGNORED))


def _names_in(text: str) -> set[str]:
    try:
        names = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return set()
    return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


HAND_IN = Page(
    "pages/hand-in/{course}/{assignment}",
    Who.MEMBER,
    "hand-in",
    read,
    under=ASSIGNMENT,
    only_open=True,
    upload=UploadForm(
        ("POST", "submission/{course}/{assignment}"),
        prepare,
        done,
        (
            Field("key", required=False),
            Field("after", required=False),
            Field("late", required=False),
            Field("although", LONGEST_NAMES, required=False),
        ),
        zips=frozenset({ZIP}),
        explain=explain,
    ),
    scripts=("hand-in.js",),
)
