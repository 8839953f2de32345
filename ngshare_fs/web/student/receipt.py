"""The receipt of a submission: to look at, to print, and as the file that `nbgrader submit` keeps."""

from collections.abc import Mapping
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.formats import receipt as receipt_file
from ngshare_fs.formats.receipt import Receipt
from ngshare_fs.store import dates, timestamp_of
from ngshare_fs.web.frame.download import Document, Download
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.student.handed_in import dates_as_far_as_known, submission_in_address
from ngshare_fs.web.student.submissions import SUBMISSIONS


def read(visit: Visit) -> Mapping[str, Any]:
    """What the manifest of the submission says, and how it lies to the due date."""
    applying = dates_as_far_as_known(visit, visit.named_user)
    with submission_in_address(visit) as tree:
        manifest, moment = tree.manifest, tree.timestamp
    return {
        "course": visit.course,
        "assignment": visit.assignment,
        "student": visit.named_user,
        "timestamp": moment,
        "by": manifest.by,
        "key": manifest.key,
        "rebuilt": manifest.rebuilt,
        "files": manifest.files,
        "size": sum(file.size for file in manifest.files),
        "dates_known": applying is not None,
        "due": applying.due if applying is not None else None,
        "late_seconds": applying.late_seconds(moment) if applying is not None else None,
        "server": visit.server,
        "now": visit.now.replace(microsecond=0),
    }


def opens(visit: Visit) -> Document:
    """The same as a file."""
    applying = dates.as_far_as_known(*visit.asking.work, visit.named_user)
    with submission_in_address(visit) as tree:
        manifest, moment = tree.manifest, tree.timestamp
    receipt = Receipt(
        visit.course,
        visit.assignment,
        visit.named_user,
        moment,
        visit.server,
        confirmed_by_server=True,
        files=[{"path": file.path, "size": file.size, "checksum": file.md5} for file in manifest.files],
        due=None if applying.due is None else timestamp_of(applying.due.at),
        late_seconds=applying.late_seconds(moment),
    )
    return Document(receipt_file.NAME, "application/json; charset=utf-8", receipt.to_json().encode())


RECEIPT = Page(
    "pages/receipt/{course}/{assignment}/{user}",
    Who.GRADER_OR_SELF,
    "receipt",
    read,
    under=SUBMISSIONS,
    of_student=True,
)
RECEIPT_JSON = Download("pages/receipt-json/{course}/{assignment}/{user}", Who.GRADER_OR_SELF, opens, of_student=True)
