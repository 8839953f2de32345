"""What somebody has handed in to an assignment, and which of it an address means."""

from collections.abc import Sequence
from dataclasses import dataclass

from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import (
    Manifest,
    Timestamp,
    Tree,
    dates,
    feedback,
    submission,
    understand_timestamp,
)
from ngshare_fs.store.dates import Dates
from ngshare_fs.store.errors import BrokenManifest
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.untrusted.views import may_be_shown

# The parameter that says which submission.
TIMESTAMP = "timestamp"
# Files of one tree that are listed beside others.
MOST_FILES = 50


@dataclass(frozen=True)
class HandedIn:
    """A submission.

    Args:
        timestamp: when.
        counts: whether it is the newest one.
        late_seconds: by how much it is late; None where nothing was due, or nobody can say.
        feedback: when feedback on it was given; None until then.
    """

    timestamp: Timestamp
    counts: bool
    late_seconds: int | None
    feedback: Timestamp | None


@dataclass(frozen=True)
class ShownFile:
    """A file of somebody's work, or of the feedback on it.

    Args:
        path, size, md5: of the manifest.
        has_view: whether it may be looked at in the browser.
    """

    path: str
    size: int
    md5: str
    has_view: bool


def handed_in(visit: Visit, student: str, applying: Dates) -> list[HandedIn]:
    """All submissions of somebody, the newest first.

    Args:
        applying: the dates by which they are late.
    """
    work = visit.asking.work
    found = submission.submissions_by(*work, student)[::-1]
    return [
        HandedIn(
            each.timestamp,
            each is found[0],
            applying.late_seconds(each.timestamp),
            feedback.given_at(*work, *each),
        )
        for each in found
    ]


def is_contested(found: Sequence[HandedIn]) -> bool:
    """Whether the newest one is late while an earlier one is not: an instructor may collect either."""
    return bool(found) and bool(found[0].late_seconds) and any(each.late_seconds == 0 for each in found)


def dates_as_far_as_known(visit: Visit, student: str) -> Dates | None:
    """The dates of somebody; None where the file cannot be understood: their work is shown all the same."""
    try:
        return dates.of(*visit.asking.work, student)
    except BrokenManifest:
        return None


def shown_files(manifest: Manifest) -> list[ShownFile]:
    """The files that a manifest lists."""
    return [
        ShownFile(file.path, file.size, file.md5, may_be_shown(manifest.kind, file.path)) for file in manifest.files
    ]


def submission_in_address(visit: Visit) -> Tree:
    """Open the submission that the address means: of the user in it, the newest where it names none.

    Raises:
        Refused, SubmissionNotFound: there is none.
    """
    text = visit.query.get(TIMESTAMP)
    moment = None if text is None else _understood(text)
    return submission.collect(*visit.asking.work, visit.named_user, moment)


def feedback_in_address(visit: Visit) -> Tree:
    """Open the newest feedback on the submission that the address names.

    Raises:
        Refused, SubmissionNotFound: there is none.
    """
    tree = feedback.newest(*visit.asking.work, visit.named_user, _understood(visit.query.get(TIMESTAMP, "")))
    if tree is None:
        raise Refused(refusals.UNKNOWN_PATH)
    return tree


def _understood(text: str) -> Timestamp:
    # It becomes the name of a folder: nothing but a timestamp may.
    try:
        return understand_timestamp(text)
    except ValueError:
        raise Refused(refusals.SUBMISSION_NOT_FOUND) from None
