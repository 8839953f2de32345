"""The declaration of what pages hand out besides themselves: a file to save, a view of one, a zip, a table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from ngshare_fs.access.permission import Conditions, Who
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import StoredFile, Tree
from ngshare_fs.web.frame.page import conditions_of
from ngshare_fs.web.frame.visit import Visit

# The parameter that says which file.
FILE = "file"


@dataclass(frozen=True)
class TreeFile:
    """A file of a tree, to be saved, never opened in the browser.

    Args:
        tree: open; closed once it is sent.
        file: of its manifest.
    """

    tree: Tree
    file: StoredFile


@dataclass(frozen=True)
class TreeView:
    """A file of a tree, shown in a tab of its own, where it can do nothing.

    Args:
        tree, file: see `TreeFile`.
        download: the path of the `Download` that hands out the same file, for the same names and parameters.
    """

    tree: Tree
    file: StoredFile
    download: str


@dataclass(frozen=True)
class Zip:
    """A zip, made while it is sent.

    Args:
        name: what it is called.
        pieces: makes it; a generator, which is closed.
    """

    name: str
    pieces: Iterator[bytes]


@dataclass(frozen=True)
class Document:
    """Something that we made ourselves, to be saved.

    Args:
        name: what it is called.
        content_type: with its charset.
        content: all of it.
    """

    name: str
    content_type: str
    content: bytes


HandedOut = TreeFile | TreeView | Zip | Document


@dataclass(frozen=True)
class Download:
    """Something that a page leads to, and that is no page.

    Args:
        path, who, of_student, only_open: see `Page`.
        opens: what it is; blocking.
    """

    path: str
    who: Who
    opens: Callable[[Visit], HandedOut]
    of_student: bool = False
    only_open: bool = False

    @cached_property
    def conditions(self) -> Conditions:
        """What is checked before it is handed out."""
        return conditions_of(self.path, self.who, self.of_student, self.only_open)


def file_in_address(visit: Visit, tree: Tree) -> tuple[Tree, StoredFile]:
    """The file of a tree that the address names: one that its manifest lists, letter by letter.

    Args:
        tree: open; closed where there is no such file.

    Raises:
        Refused: there is none.
    """
    path = visit.query.get(FILE)
    for file in tree.manifest.files:
        if file.path == path:
            return tree, file
    tree.close()
    raise Refused(refusals.UNKNOWN_PATH)
