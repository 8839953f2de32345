"""The files of the newest feedback on a submission. Who fetches them is in the journal, as with the API."""

from functools import partial

from ngshare_fs.access.permission import Who
from ngshare_fs.web.download import Download, TreeFile, TreeView, Zip, file_in_address
from ngshare_fs.web.student.handed_in import feedback_in_address
from ngshare_fs.web.untrusted.file_names import zip_name
from ngshare_fs.web.untrusted.trees_in_zip import zip_of_tree
from ngshare_fs.web.visit import Visit


def opens_file(visit: Visit) -> TreeFile:
    """The file that the address names."""
    tree, file = file_in_address(visit, feedback_in_address(visit))
    _note(visit, tree.manifest.submission)
    return TreeFile(tree, file)


def opens_view(visit: Visit) -> TreeView:
    """The same, to look at."""
    tree, file = file_in_address(visit, feedback_in_address(visit))
    _note(visit, tree.manifest.submission)
    return TreeView(tree, file, FEEDBACK_FILE.path)


def opens_zip(visit: Visit) -> Zip:
    """All of its files."""
    with feedback_in_address(visit) as tree:
        name = zip_name(visit.assignment, visit.named_user, "feedback", tree.timestamp)
        _note(visit, tree.manifest.submission)
    return Zip(name, zip_of_tree(partial(feedback_in_address, visit)))


def _note(visit: Visit, submission: str | None) -> None:
    visit.note("fetch-feedback", submission or "", is_read=True)


FEEDBACK_FILE = Download(
    "pages/feedback-file/{course}/{assignment}/{user}", Who.GRADER_OR_SELF, opens_file, of_student=True
)
FEEDBACK_VIEW = Download(
    "pages/feedback-view/{course}/{assignment}/{user}", Who.GRADER_OR_SELF, opens_view, of_student=True
)
FEEDBACK_ZIP = Download(
    "pages/feedback-zip/{course}/{assignment}/{user}", Who.GRADER_OR_SELF, opens_zip, of_student=True
)
