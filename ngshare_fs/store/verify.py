"""Checks a volume: every manifest readable and true to its files. Changes nothing, so it also runs on a backup."""

import hashlib
import os
import stat
from collections.abc import Generator, Iterator
from datetime import datetime
from pathlib import Path

from ngshare_fs.store import course_file, layout, manifest, names, timestamp, yaml_text
from ngshare_fs.store.course_file import Roster
from ngshare_fs.store.directory_tree import check_path
from ngshare_fs.store.errors import BrokenManifest, IllegalPath
from ngshare_fs.store.findings import Finding, finding
from ngshare_fs.store.manifest import FEEDBACK, RELEASE, SUBMISSION, Manifest, StoredFile
from ngshare_fs.store.timestamp import Timestamp
from ngshare_fs.store.volume import layout_number

CHUNK = 2**20


def verify_volume(root: Path) -> Iterator[Finding]:
    """Find everything that departs from `docs/volume-format.md`.

    Args:
        root: the volume's folder; it need not be writable, and a server may use it meanwhile.
    """
    return _Verification(str(root)).run()


class _Verification:
    """A walk over one volume; paths are relative to it."""

    def __init__(self, root: str) -> None:
        self._root = root

    def run(self) -> Iterator[Finding]:
        yield from self._volume_file()
        known = {layout.VOLUME_FILE, layout.COURSES, layout.TRASH, layout.PRIVATE, "lost+found"}
        yield from self._strays("", known)
        for folder in self._folders(layout.COURSES):
            yield from self._course(os.path.join(layout.COURSES, folder))
        yield from self._files_in(layout.COURSES)
        for folder in self._folders(layout.TRASH):
            yield from self._trash_entry(os.path.join(layout.TRASH, folder))
        yield from self._files_in(layout.TRASH)

    def _volume_file(self) -> Iterator[Finding]:
        try:
            found = yaml_text.parse(self._read(layout.VOLUME_FILE), layout.VOLUME_FILE, layout_number)
        except FileNotFoundError:
            yield finding("volume-file-missing", layout.VOLUME_FILE)
        except OSError as error:
            yield _unreadable(layout.VOLUME_FILE, error)
        except BrokenManifest as error:
            yield finding("volume-file-broken", layout.VOLUME_FILE, _place(error))
        else:
            if found > layout.LAYOUT:
                yield finding("layout-newer", layout.VOLUME_FILE, f"layout {found}")

    def _course(self, path: str) -> Iterator[Finding]:
        file = os.path.join(path, layout.COURSE_FILE)
        roster: Roster | None = None
        try:
            roster = yaml_text.parse(self._read(file), file, course_file.understand)
        except FileNotFoundError:
            yield finding("course-file-missing", file)
        except OSError as error:
            yield _unreadable(file, error)
        except BrokenManifest as error:
            yield finding("course-file-broken", file, _place(error))
        else:
            for user in sorted(roster.instructors.keys() & roster.students.keys()):
                yield finding("two-roles", file, repr(user))
        yield from self._name(path, None if roster is None else roster.course)
        yield from self._strays(path, {layout.COURSE_FILE, layout.ASSIGNMENTS})
        assignments = os.path.join(path, layout.ASSIGNMENTS)
        for folder in self._folders(assignments):
            yield from self._assignment(os.path.join(assignments, folder))
        yield from self._files_in(assignments)

    def _assignment(self, path: str) -> Iterator[Finding]:
        yield from self._strays(path, {layout.RELEASES, layout.SUBMISSIONS})
        releases = os.path.join(path, layout.RELEASES)
        newest: Manifest | None = None
        if not any(timestamp.from_folder(folder) for folder in self._folders(releases)):
            yield finding("release-missing", path)
        for tree, moment in self._trees(releases):
            newest = yield from self._tree(tree, RELEASE, moment, set())
        yield from self._name(path, newest.assignment if newest else None)
        submissions = os.path.join(path, layout.SUBMISSIONS)
        for folder in self._folders(submissions):
            yield from self._student(os.path.join(submissions, folder))
        yield from self._files_in(submissions)
        yield from self._not_dated(releases)

    def _student(self, path: str) -> Iterator[Finding]:
        newest: Manifest | None = None
        for tree, moment in self._trees(path):
            newest = yield from self._tree(tree, SUBMISSION, moment, {layout.FEEDBACK})
            feedback = os.path.join(tree, layout.FEEDBACK)
            for given, at in self._trees(feedback):
                yield from self._tree(given, FEEDBACK, at, set())
            yield from self._not_dated(feedback)
        yield from self._name(path, newest.student if newest else None)
        yield from self._not_dated(path)

    def _tree(
        self, path: str, kind: str, moment: Timestamp, beside: set[str]
    ) -> Generator[Finding, None, Manifest | None]:
        yield from self._strays(path, {layout.MANIFEST, layout.FILES, *beside})
        file = os.path.join(path, layout.MANIFEST)
        try:
            found = yaml_text.parse(self._read(file), file, manifest.understand)
        except FileNotFoundError:
            yield finding("manifest-missing", file)
            return None
        except OSError as error:
            yield _unreadable(file, error)
            return None
        except BrokenManifest as error:
            yield finding("manifest-broken", file, _place(error))
            return None
        if found.kind != kind:
            yield finding("manifest-differs", file, f"a {found.kind} among {kind}s")
        elif found.timestamp != moment:
            yield finding("manifest-differs", file, found.timestamp)
        yield from self._content(os.path.join(path, layout.FILES), file, found)
        return found

    def _content(self, root: str, manifest_file: str, found: Manifest) -> Iterator[Finding]:
        wanted: dict[str, StoredFile] = {}
        for file in found.files:
            try:
                check_path(file.path)
            except IllegalPath:
                yield finding("path-illegal", manifest_file, repr(file.path))
                continue
            if file.path in wanted:
                yield finding("path-twice", manifest_file, repr(file.path))
            wanted[file.path] = file
        for path in self._files_below(root):
            inside = os.path.relpath(path, root)
            if inside not in wanted:
                yield finding("file-extra", path)
                continue
            yield from self._file(path, wanted.pop(inside))
        for inside in wanted:
            # A folder that cannot be read hides its files; the folder is what is wrong then.
            yield finding("file-missing", os.path.join(root, inside))

    def _file(self, path: str, wanted: StoredFile) -> Iterator[Finding]:
        try:
            if not stat.S_ISREG(os.lstat(self._at(path)).st_mode):
                yield finding("not-a-file", path)
                return
            digest, size = hashlib.md5(usedforsecurity=False), 0
            with open(self._at(path), "rb") as content:
                while chunk := content.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
        except OSError as error:
            yield _unreadable(path, error)
            return
        if size != wanted.size:
            yield finding("size-differs", path, f"{size} bytes, not {wanted.size}")
        elif digest.hexdigest() != wanted.md5.lower():
            yield finding("checksum-differs", path, f"{digest.hexdigest()}, not {wanted.md5}")

    def _trash_entry(self, path: str) -> Iterator[Finding]:
        file = os.path.join(path, layout.TRASH_FILE)
        try:
            yaml_text.parse(self._read(file), file, lambda document: yaml_text.text_in(document, "kind"))
        except (FileNotFoundError, BrokenManifest) as error:
            yield finding("trash-file-broken", file, _place(error) if isinstance(error, BrokenManifest) else "missing")
        except OSError as error:
            yield _unreadable(file, error)

    def _name(self, path: str, full: str | None) -> Iterator[Finding]:
        folder = os.path.basename(path)
        if names.is_cut(folder):
            if full is not None and names.folder_of(full) != folder:
                yield finding("name-differs", path, repr(full))
        elif names.name_of(folder) is None:
            yield finding("name-not-canonical", path)

    def _trees(self, path: str) -> Iterator[tuple[str, Timestamp]]:
        for folder in self._folders(path):
            moment = timestamp.from_folder(folder)
            if moment is not None and _is_a_date(moment):
                yield os.path.join(path, folder), moment

    def _not_dated(self, path: str) -> Iterator[Finding]:
        for entry in self._entries(path):
            moment = timestamp.from_folder(entry.name)
            if moment is None or not _is_a_date(moment) or not entry.is_dir(follow_symlinks=False):
                yield finding("stray", os.path.join(path, entry.name))

    def _files_in(self, path: str) -> Iterator[Finding]:
        for entry in self._entries(path):
            if not entry.is_dir(follow_symlinks=False):
                yield finding("stray", os.path.join(path, entry.name))

    def _strays(self, path: str, known: set[str]) -> Iterator[Finding]:
        try:
            os.listdir(self._at(path))
        except OSError as error:
            yield _unreadable(path, error)
        for entry in self._entries(path):
            if entry.name not in known or entry.is_symlink():
                yield finding("stray", os.path.join(path, entry.name))

    def _files_below(self, path: str) -> Iterator[str]:
        for entry in self._entries(path):
            below = os.path.join(path, entry.name)
            if entry.is_dir(follow_symlinks=False):
                yield from self._files_below(below)
            else:
                yield below

    def _folders(self, path: str) -> list[str]:
        return sorted(entry.name for entry in self._entries(path) if entry.is_dir(follow_symlinks=False))

    def _entries(self, path: str) -> "list[os.DirEntry[str]]":
        try:
            with os.scandir(self._at(path)) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError:
            return []

    def _read(self, path: str) -> bytes:
        # A link would lead out of the volume, a pipe would hold us for ever.
        descriptor = os.open(self._at(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            return file.read()

    def _at(self, path: str) -> str:
        return os.path.join(self._root, path)


def _is_a_date(moment: Timestamp) -> bool:
    try:
        datetime.strptime(moment, "%Y-%m-%d %H:%M:%S.%f UTC")
    except ValueError:
        return False
    return True


def _unreadable(path: str, error: OSError) -> Finding:
    return finding("unreadable", path, error.strerror or str(error))


def _place(error: BrokenManifest) -> str:
    return f"line {error.line}: {error.problem}"
