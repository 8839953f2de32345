"""The files of a submission: one to save or to look at, all as a zip."""

from ngshare_fs.access.permission import Who
from ngshare_fs.web.student.handed_in import submission_in_address
from ngshare_fs.web.student.tree_downloads import tree_downloads

SUBMISSION_FILE, SUBMISSION_VIEW, SUBMISSION_ZIP = tree_downloads(
    "submission",
    "{course}/{assignment}/{user}",
    Who.GRADER_OR_SELF,
    submission_in_address,
    lambda visit, tree: (visit.assignment, visit.named_user, tree.timestamp),
    of_student=True,
)
