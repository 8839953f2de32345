"""What of a tree is shown in a browser, and as what. Everything else is handed out as a file."""

import codecs
import enum

from ngshare_fs.store import FEEDBACK, StoredFile

# Of the beginning of a file, this much is looked at.
START = 8192
# A longer text is not read in a browser; a longer picture may be made to fill the memory of one.
LONGEST_TEXT = 2 * 2**20
LARGEST_PICTURE = 20 * 2**20

PNG_START = b"\x89PNG\r\n\x1a\n"
JPEG_START = b"\xff\xd8\xff"
_TEXT_ENDINGS = frozenset(
    (
        "txt", "text", "md", "markdown", "rst", "tex", "bib", "log", "out", "err", "dat", "csv", "tsv", "json", "yaml",
        "yml", "toml", "ini", "cfg", "conf", "diff", "patch", "py", "pyi", "r", "rmd", "jl", "c", "h", "cc", "cpp",
        "hpp", "f", "f90", "java", "kt", "scala", "swift", "go", "rs", "rb", "hs", "ml", "js", "ts", "sh", "sql", "m",
    )
)  # fmt: skip
_HTML = ("html", "htm")


class View(enum.Enum):
    """How a file is shown: as a page of ours, see `preview`, or as it is, as this type of content."""

    NOTEBOOK = ""
    FEEDBACK = "text/html; charset=utf-8"
    TEXT = "text/plain; charset=utf-8"
    PNG = "image/png"
    JPEG = "image/jpeg"


def may_be_shown(kind: str, path: str) -> bool:
    """Whether it is worth offering a look at a file, by its name alone; `view_of` decides.

    Args:
        kind: of its tree.
        path: of the file.
    """
    ending = _ending(path)
    return (
        ending in _TEXT_ENDINGS or ending in ("ipynb", "png", "jpg", "jpeg") or (kind == FEEDBACK and ending in _HTML)
    )


def view_of(kind: str, file: StoredFile, start: bytes) -> View | None:
    """How a file is shown; None where it is not.

    The ending alone decides nothing but what is safe as whatever it is: `nosniff` and the sandbox hold for all of it.

    Args:
        kind: of its tree. HTML is shown of feedback only: it is what feedback is made of.
        file: of the tree's manifest.
        start: the first `START` bytes of it.
    """
    ending = _ending(file.path)
    if ending in _HTML:
        return View.FEEDBACK if kind == FEEDBACK else None
    if ending == "ipynb":
        return View.NOTEBOOK
    if ending == "png" and start.startswith(PNG_START) and file.size <= LARGEST_PICTURE:
        return View.PNG
    if ending in ("jpg", "jpeg") and start.startswith(JPEG_START) and file.size <= LARGEST_PICTURE:
        return View.JPEG
    if ending in _TEXT_ENDINGS and file.size <= LONGEST_TEXT and _is_text(start):
        return View.TEXT
    return None


def _ending(path: str) -> str:
    _, dot, ending = path.rpartition("/")[2].lower().rpartition(".")
    return ending if dot else ""


def _is_text(start: bytes) -> bool:
    """Whether it begins as text in UTF-8; the last character may be cut."""
    if b"\0" in start:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True
