"""One file of the newest release of an assignment."""

from ngshare_fs.access.permission import Who
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import release
from ngshare_fs.web.download import FILE, Download, TreeFile, file_of
from ngshare_fs.web.visit import Visit


def opens(visit: Visit) -> TreeFile:
    """The file that the address names."""
    tree = release.newest(*visit.asking.work)
    if tree is not None:
        file = file_of(tree, visit.query.get(FILE))
        if file is not None:
            return TreeFile(tree, file)
        tree.close()
    raise Refused(refusals.UNKNOWN_PATH)


RELEASE_FILE = Download("pages/release-file/{course}/{assignment}", Who.MEMBER, opens, only_open=True)
