"""The files of the newest release of an assignment: one to save or to look at, all as a zip."""

from ngshare_fs.access.permission import Who
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import Tree, release
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.student.tree_downloads import tree_downloads


def _newest(visit: Visit) -> Tree:
    tree = release.newest(*visit.asking.work)
    if tree is None:
        raise Refused(refusals.UNKNOWN_PATH)
    return tree


RELEASE_FILE, RELEASE_VIEW, RELEASE_ZIP = tree_downloads(
    "release",
    "{course}/{assignment}",
    Who.MEMBER,
    _newest,
    lambda visit, tree: (visit.assignment,),
    only_open=True,
)
