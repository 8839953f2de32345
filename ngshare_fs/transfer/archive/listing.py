"""What of a course goes into an archive: looked at once, kept in a file, and compared with what is there later."""

import json
import os
import stat
import tempfile
from collections import Counter
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple

from ngshare_fs.store import Volume
from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.files.plain_file import open_plain
from ngshare_fs.store.format import layout
from ngshare_fs.store.format.names import folder_of
from ngshare_fs.store.reading.fingerprint import fingerprint_of
from ngshare_fs.transfer.archive.layout import order

# Kept in memory; a listing that takes more lies in a file without a name.
IN_MEMORY = 8 * 1024 * 1024


class ChangedMeanwhile(Exception):
    """Something of the course was handed in or out, changed or moved away while it was read; the text is its path."""


class Entry(NamedTuple):
    """A file or folder of a course.

    Args:
        path: relative to the volume.
        is_folder: whether it is one.
        size: of a file, in bytes.
        modified: in seconds since 1970.
        known_by: its inode, size and times; a folder's do not matter.
    """

    path: str
    is_folder: bool
    size: int
    modified: int
    known_by: tuple[int, ...]


class Listing:
    """What a course consisted of at one moment, its journal too. A context manager; whoever makes one closes it.

    Args:
        volume: where it is.
        course: its name.

    Attributes:
        counts: how many there are of `files`, `folders`, `assignments`, `releases`, `submissions` and `feedback`, and
            the `size` of all files.
        passed_over: the paths of what is neither a file nor a folder.

    Raises:
        ChangedMeanwhile: something was moved away at this moment.
        OSError: something cannot be looked at.
    """

    def __init__(self, volume: Volume, course: str) -> None:
        self._root = volume.root
        self._folder = f"{layout.COURSES}/{folder_of(course)}"
        self._journal = f"{layout.JOURNAL_OF_COURSES}/{folder_of(course)}"
        self.counts: Counter[str] = Counter()
        self.passed_over: list[str] = []
        # What those files said that change: `course.yaml`, and each `assignment.yaml`.
        self._texts: dict[str, bytes] = {}
        self._kept = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed on leaving
        try:
            for place in (self._folder, self._journal):
                for entry in self._entries(self._root, place, place):
                    self._count(entry)
                    self._kept.write(json.dumps(entry).encode() + b"\n")
        except FileNotFoundError as error:
            self._kept.close()
            raise ChangedMeanwhile(error.filename) from None
        except BaseException:
            self._kept.close()
            raise

    def __enter__(self) -> "Listing":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.close()

    def __iter__(self) -> Iterator[Entry]:
        self._kept.seek(0)
        for line in self._kept:
            path, is_folder, size, modified, known_by = json.loads(line)
            yield Entry(path, is_folder, size, modified, tuple(known_by))

    def check_unchanged(self, folder: str) -> None:
        """Compare with what there is by now.

        Args:
            folder: where the course is. Its journal is not compared: it goes on.

        Raises:
            ChangedMeanwhile: the text is the path of what is new, changed or gone.
        """
        try:
            changed = self._first_change(folder)
        except FileNotFoundError as error:
            changed = error.filename
        if changed is not None:
            raise ChangedMeanwhile(changed)

    def _first_change(self, folder: str) -> str | None:
        before = (entry for entry in self if not entry.is_folder and entry.path.startswith(self._folder + "/"))
        above, name = os.path.split(folder)
        present = (entry for entry in self._entries(above, name, self._folder) if not entry.is_folder)
        for now in present:
            then = next(before, None)
            if then != now:
                return now.path
        gone = next(before, None)
        return gone.path if gone else None

    def text_of(self, entry: Entry) -> bytes | None:
        """What a file said that people and servers change; None of any other, and of what cannot be read."""
        return self._texts.get(entry.path)

    def _with_text(self, entry: Entry) -> Entry:
        """An entry as the file was when its text was read."""
        if not is_edited(entry.path):
            return entry
        try:
            status, text = retry_on_estale(_read, os.path.join(self._root, entry.path))
        except FileNotFoundError:
            raise
        except OSError:
            return entry
        self._texts[entry.path] = text
        return _entry(entry.path, status)

    def _entries(self, root: str, place: str, shown: str) -> Iterator[Entry]:
        """A folder and all that is in it.

        Args:
            root, place: the folder is `place`, below `root`.
            shown: its path on the volume.
        """
        # Folders whose turn is still to come, the next one last. No recursion: a tree may have 256 levels.
        top = os.path.join(root, place)
        waiting = [(top, shown)] if os.path.isdir(top) and not os.path.islink(top) else []
        while waiting:
            path, shown = waiting.pop()
            yield Entry(shown, True, 0, int(os.stat(path).st_mtime), ())
            folders = []
            with os.scandir(path) as found:
                entries = [(entry, entry.is_dir(follow_symlinks=False)) for entry in found]
            for entry, is_folder in sorted(entries, key=lambda each: order(each[0].name, each[1])):
                if is_folder:
                    folders.append((entry.path, f"{shown}/{entry.name}"))
                    continue
                status = entry.stat(follow_symlinks=False)
                if not stat.S_ISREG(status.st_mode):
                    self.passed_over.append(f"{shown}/{entry.name}")
                    continue
                known = _entry(f"{shown}/{entry.name}", status)
                yield self._with_text(known) if root == self._root else known
            waiting += reversed(folders)

    def _count(self, entry: Entry) -> None:
        self.counts["folders" if entry.is_folder else "files"] += 1
        self.counts["size"] += entry.size
        kind = kind_of(entry.path)
        if kind and entry.is_folder:
            self.counts[kind] += 1


def kind_of(path: str) -> str | None:
    """What a folder is by its place in a course: one of `assignments`, `releases`, `submissions` and `feedback`."""
    parts = path.split("/")[2:]
    if not parts or parts[0] != layout.ASSIGNMENTS or not path.startswith(layout.COURSES + "/"):
        return None
    if len(parts) == 2:
        return layout.ASSIGNMENTS
    if len(parts) == 4 and parts[2] == layout.RELEASES:
        return layout.RELEASES
    if len(parts) == 5 and parts[2] == layout.SUBMISSIONS:
        return layout.SUBMISSIONS
    if len(parts) == 7 and parts[2] == layout.SUBMISSIONS and parts[5] == layout.FEEDBACK:
        return layout.FEEDBACK
    return None


def is_tree(path: str) -> bool:
    """Whether a folder is by its place a release, a submission or a piece of feedback."""
    return kind_of(path) in (layout.RELEASES, layout.SUBMISSIONS, layout.FEEDBACK)


def is_edited(path: str) -> bool:
    """Whether a file is by its place one that people and servers change: a course's, or an assignment's."""
    above, _, name = path.rpartition("/")
    if name == layout.COURSE_FILE:
        return above.count("/") == 1 and above.startswith(layout.COURSES + "/")
    return name == layout.ASSIGNMENT_FILE and kind_of(above) == layout.ASSIGNMENTS


def is_understood(path: str) -> bool:
    """Whether a file is by its place one that programs read whole: such a one, or a manifest."""
    above, _, name = path.rpartition("/")
    return is_edited(path) or (name == layout.MANIFEST and is_tree(above))


def _entry(path: str, status: os.stat_result) -> Entry:
    return Entry(path, False, status.st_size, int(status.st_mtime), tuple(fingerprint_of(status)))


def _read(path: str) -> tuple[os.stat_result, bytes]:
    with open(open_plain(path), "rb") as file:
        return os.fstat(file.fileno()), file.read()
