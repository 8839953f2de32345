"""The files of a submission: one to save or to look at, all as a zip."""

from functools import partial

from ngshare_fs.access.permission import Who
from ngshare_fs.web.download import Download, TreeFile, TreeView, Zip, file_in_address
from ngshare_fs.web.student.handed_in import submission_in_address
from ngshare_fs.web.untrusted.file_names import zip_name
from ngshare_fs.web.untrusted.trees_in_zip import zip_of_tree
from ngshare_fs.web.visit import Visit


def opens_file(visit: Visit) -> TreeFile:
    """The file that the address names."""
    return TreeFile(*file_in_address(visit, submission_in_address(visit)))


def opens_view(visit: Visit) -> TreeView:
    """The same, to look at."""
    return TreeView(*file_in_address(visit, submission_in_address(visit)), SUBMISSION_FILE.path)


def opens_zip(visit: Visit) -> Zip:
    """All of its files."""
    with submission_in_address(visit) as tree:
        name = zip_name(visit.assignment, visit.named_user, tree.timestamp)
    return Zip(name, zip_of_tree(partial(submission_in_address, visit)))


SUBMISSION_FILE = Download(
    "pages/submission-file/{course}/{assignment}/{user}", Who.GRADER_OR_SELF, opens_file, of_student=True
)
SUBMISSION_VIEW = Download(
    "pages/submission-view/{course}/{assignment}/{user}", Who.GRADER_OR_SELF, opens_view, of_student=True
)
SUBMISSION_ZIP = Download(
    "pages/submission-zip/{course}/{assignment}/{user}", Who.GRADER_OR_SELF, opens_zip, of_student=True
)
