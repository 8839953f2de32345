"""The files of the newest release of an assignment: one to save or to look at, all as a zip."""

from functools import partial

from ngshare_fs.access.permission import Who
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import Tree, release
from ngshare_fs.web.download import Download, TreeFile, TreeView, Zip, file_in_address
from ngshare_fs.web.untrusted.file_names import zip_name
from ngshare_fs.web.untrusted.trees_in_zip import zip_of_tree
from ngshare_fs.web.visit import Visit


def opens_file(visit: Visit) -> TreeFile:
    """The file that the address names."""
    return TreeFile(*file_in_address(visit, _newest(visit)))


def opens_view(visit: Visit) -> TreeView:
    """The same, to look at."""
    return TreeView(*file_in_address(visit, _newest(visit)), RELEASE_FILE.path)


def opens_zip(visit: Visit) -> Zip:
    """All of its files."""
    with _newest(visit):
        return Zip(zip_name(visit.assignment), zip_of_tree(partial(_newest, visit)))


def _newest(visit: Visit) -> Tree:
    tree = release.newest(*visit.asking.work)
    if tree is None:
        raise Refused(refusals.UNKNOWN_PATH)
    return tree


RELEASE_FILE = Download("pages/release-file/{course}/{assignment}", Who.MEMBER, opens_file, only_open=True)
RELEASE_VIEW = Download("pages/release-view/{course}/{assignment}", Who.MEMBER, opens_view, only_open=True)
RELEASE_ZIP = Download("pages/release-zip/{course}/{assignment}", Who.MEMBER, opens_zip, only_open=True)
