"""The files of the newest feedback on a submission. Who fetches them is in the journal, as with the API."""

from ngshare_fs.access.permission import Who
from ngshare_fs.store import Tree
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.student.handed_in import feedback_in_address
from ngshare_fs.web.student.tree_downloads import tree_downloads


def _note(visit: Visit, tree: Tree) -> None:
    visit.note("fetch-feedback", tree.manifest.submission or "", is_read=True)


FEEDBACK_FILE, FEEDBACK_VIEW, FEEDBACK_ZIP = tree_downloads(
    "feedback",
    "{course}/{assignment}/{user}",
    Who.GRADER_OR_SELF,
    feedback_in_address,
    lambda visit, tree: (visit.assignment, visit.named_user, "feedback", tree.timestamp),
    of_student=True,
    noted=_note,
)
