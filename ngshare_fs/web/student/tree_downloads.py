"""What pages hand out of a tree: one of its files to save or to look at, and all of them as a zip."""

from collections.abc import Callable, Sequence
from functools import partial

from ngshare_fs.access.permission import Who
from ngshare_fs.store import StoredFile, Tree
from ngshare_fs.web.frame.download import Download, TreeFile, TreeView, Zip, file_in_address
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.untrusted.file_names import zip_name
from ngshare_fs.web.untrusted.trees_in_zip import zip_of_tree


def nothing_noted(visit: Visit, tree: Tree) -> None:
    """Whoever has such a file is not in the journal."""


def tree_downloads(
    word: str,
    names: str,
    who: Who,
    opened: Callable[[Visit], Tree],
    words_of_zip: Callable[[Visit, Tree], Sequence[str]],
    *,
    of_student: bool = False,
    only_open: bool = False,
    noted: Callable[[Visit, Tree], None] = nothing_noted,
) -> tuple[Download, Download, Download]:
    """The three downloads of a tree: a file, the view of one, the zip.

    Args:
        word: what it is, as paths have it.
        names: the end of the paths: the names in them.
        who, of_student, only_open: see `Page`.
        opened: opens it; raises `Refused` or `StoreError` where there is none.
        words_of_zip: what the zip is called after.
        noted: notes who has had it.
    """

    def named_file(visit: Visit) -> tuple[Tree, StoredFile]:
        tree, file = file_in_address(visit, opened(visit))
        noted(visit, tree)
        return tree, file

    def opens_file(visit: Visit) -> TreeFile:
        return TreeFile(*named_file(visit))

    def opens_view(visit: Visit) -> TreeView:
        return TreeView(*named_file(visit), file_download.path)

    def opens_zip(visit: Visit) -> Zip:
        with opened(visit) as tree:
            noted(visit, tree)
            name = zip_name(*words_of_zip(visit, tree))
        return Zip(name, zip_of_tree(partial(opened, visit)))

    file_download = Download(f"pages/{word}-file/{names}", who, opens_file, of_student, only_open)
    view = Download(f"pages/{word}-view/{names}", who, opens_view, of_student, only_open)
    return file_download, view, Download(f"pages/{word}-zip/{names}", who, opens_zip, of_student, only_open)
