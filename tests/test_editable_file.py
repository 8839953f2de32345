"""A YAML file that people edit by hand and servers change: what rosters rely on holds for a file of another kind, too.

The kind that is tried here is a note beside an assignment, which need not be there.
"""

import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import Node, text_in
from ngshare_fs.store import Volume, editable_file
from ngshare_fs.store.editable_file import EditableFile
from ngshare_fs.store.errors import BrokenManifest, LockTimeout
from ngshare_fs.store.format import layout
from ngshare_fs.store.format.unknown_keys import unknown_keys
from ngshare_fs.store.reading.cached_yaml import CachedYaml
from ngshare_fs.store.writing.locks import Locks


@dataclass(frozen=True)
class Note:
    """What the file says: lines of text, and what somebody else wrote there."""

    text: str = ""
    more: Mapping[str, Node] = field(default_factory=dict)

    def to_yaml(self) -> bytes:
        return yaml_text.dump({"text": self.text, **self.more})


def understand(document: Mapping[str, Node]) -> Note:
    return Note(text_in(document, "text") or "", unknown_keys(document, ("text",)))


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    opened = Volume.open(tmp_path / "volume")
    (tmp_path / "volume/courses/a").mkdir()
    yield opened
    opened.close()


def note_of(volume: Volume, if_missing: Note | None = Note()) -> EditableFile[Note]:
    path = os.path.join(volume.root, "courses/a/note.yaml")
    return EditableFile(volume, path, CachedYaml(understand), Note.to_yaml, ("note", "a"), if_missing)


def with_line(line: str) -> Callable[[Note], Note]:
    return lambda note: replace(note, text=f"{note.text} {line}".strip())


def edit(file: EditableFile[Note], text: str) -> None:
    """As an editor does that replaces the file; some while ago."""
    edited = Path(file.path + "~")
    edited.write_text(text)
    os.utime(edited, (1e9, 1e9))
    edited.rename(file.path)


@contextmanager
def before_the_next_flush(volume: Volume, action: Callable[[], object]) -> Iterator[list[str]]:
    """Do something once all is staged; gives the paths that are flushed."""
    honest, flushed, left = volume.flusher, list[str](), [action]

    class First:
        while_open = honest.while_open

        def flush(self, files: list[str], folders: list[str]) -> None:
            if left:
                left.pop()()
            honest.flush(files, folders)
            flushed.extend(files + folders)

        def close(self) -> None: ...

    volume.flusher = First()
    try:
        yield flushed
    finally:
        volume.flusher = honest
    assert not left, "a change flushes something"


def left_in_staging(volume: Volume) -> list[Path]:
    return list(Path(volume.root).glob(".ngshare/staging/*/*"))


def test_what_is_missing_has_a_value_and_the_first_change_makes_it(volume: Volume) -> None:
    file = note_of(volume, Note("nothing yet"))
    assert file.read().value == Note("nothing yet")
    file.change(lambda note: note)
    assert not os.path.exists(file.path), "where nothing changes, nothing is written"
    with before_the_next_flush(volume, lambda: None) as flushed:
        file.change(with_line("but this"))
    assert Path(file.path).read_text() == "text: nothing yet but this\n"
    assert flushed[-1] == os.path.dirname(file.path), "its entry is durable"
    assert note_of(volume).read().value == Note("nothing yet but this")
    assert left_in_staging(volume) == []


def test_one_that_has_to_be_there_is_not_made(volume: Volume) -> None:
    file = note_of(volume, if_missing=None)
    for call in (file.read, lambda: file.change(with_line("x"))):
        with pytest.raises(FileNotFoundError):
            call()
    assert not os.path.exists(file.path)


def test_without_its_folder_nothing_counts(volume: Volume) -> None:
    file = note_of(volume)
    file.change(with_line("x"))
    shutil.rmtree(os.path.dirname(file.path))
    for call in (file.read, lambda: file.change(lambda note: note), lambda: file.change(with_line("x"))):
        with pytest.raises(FileNotFoundError):
            call()
    Path(os.path.dirname(file.path)).write_text("no folder")
    for call in (file.read, lambda: file.change(with_line("x"))):
        with pytest.raises(OSError, match=r"Not a directory|No such file"):
            call()


def test_the_mode_and_what_nobody_knows_are_kept(volume: Volume) -> None:
    file = note_of(volume)
    edit(file, "by: ada\ntext: one\nlist: [no, 007]\n")
    os.chmod(file.path, 0o640)
    file.change(with_line("two"))
    assert file.read().value == Note("one two", {"by": "ada", "list": ["no", "007"]})
    assert stat.S_IMODE(os.stat(file.path).st_mode) == 0o640


@pytest.mark.parametrize("was_there", [False, True])
def test_what_somebody_wrote_while_a_change_was_flushed_is_kept(volume: Volume, was_there: bool) -> None:
    file = note_of(volume)
    if was_there:
        edit(file, "text: before\n")
    with before_the_next_flush(volume, lambda: edit(file, "text: by hand\nby: ada\n")):
        file.change(with_line("and by the server"))
    assert file.read().value == Note("by hand and by the server", {"by": "ada"})
    assert left_in_staging(volume) == []


def test_a_file_that_is_removed_while_a_change_is_flushed_counts_as_missing(volume: Volume) -> None:
    file = note_of(volume)
    edit(file, "text: before\n")
    with before_the_next_flush(volume, lambda: os.unlink(file.path)):
        file.change(with_line("after"))
    assert file.read().value == Note("after")


@pytest.mark.parametrize("was_there", [False, True])
def test_a_change_does_not_land_in_a_new_folder_of_the_same_name(volume: Volume, was_there: bool) -> None:
    file = note_of(volume)
    folder = Path(file.path).parent
    if was_there:
        edit(file, "text: before\n")

    def make_anew() -> None:
        folder.rename(folder.parent / "deleted")
        folder.mkdir()

    with before_the_next_flush(volume, make_anew), pytest.raises(FileNotFoundError):
        file.change(with_line("late"))
    assert os.listdir(folder) == []
    assert left_in_staging(volume) == []


def test_a_file_that_was_changed_just_now_is_left_alone_for_a_while(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of it may be understood, too: here a line at its end arrives later."""
    file = note_of(volume)
    Path(file.path).write_text("text: half\n")
    seen: list[Note] = []

    def changed(note: Note) -> Note:
        seen.append(note)
        return replace(note, text="whole")

    def write_the_rest(_: float) -> None:
        edit(file, "text: half\nby: ada\n")

    monkeypatch.setattr(editable_file, "QUIET_SECONDS", 3600)  # however slow this machine is
    monkeypatch.setattr(time, "sleep", write_the_rest)
    file.change(changed)
    assert seen == [Note("half"), Note("half", {"by": "ada"})]
    assert file.read().value == Note("whole", {"by": "ada"})


def test_it_is_changed_under_its_lock(volume: Volume) -> None:
    file = note_of(volume)
    elsewhere = Volume.join(volume.root)
    volume.locks = Locks(os.path.join(volume.root, layout.LOCKS), timeout=0.1)
    with elsewhere.locks.hold("note", "a"), pytest.raises(LockTimeout):
        file.change(with_line("x"))
    elsewhere.close()
    assert not os.path.exists(file.path)


def test_a_broken_file_is_left_as_it_is(volume: Volume) -> None:
    file = note_of(volume)
    edit(file, "text: [a]\n")
    with pytest.raises(BrokenManifest, match="line 1: `text` has to be a single value"):
        file.change(with_line("x"))
    assert Path(file.path).read_text() == "text: [a]\n"


def test_who_is_refused_by_the_last_check_changes_nothing(volume: Volume) -> None:
    file = note_of(volume)

    def refuse() -> None:
        raise PermissionError

    with pytest.raises(PermissionError):
        file.change(with_line("x"), refuse)
    assert not os.path.exists(file.path)


def test_a_change_that_another_made_is_flushed_before_it_is_acknowledged(volume: Volume) -> None:
    file, other = note_of(volume), note_of(volume)
    file.change(with_line("x"))
    with before_the_next_flush(volume, lambda: None) as flushed:
        other.change(lambda note: note)
    assert flushed == [file.path, os.path.dirname(file.path)]


def test_servers_that_change_it_at_once_lose_nothing(volume: Volume) -> None:
    """The first of all changes among them, which makes the file."""
    together = threading.Barrier(3)

    def change_often(name: str) -> None:
        own = Volume.join(volume.root)
        try:
            together.wait(60)
            for number in range(10):
                note_of(own).change(with_line(f"{name}{number}"))
        finally:
            own.close()

    threads = [threading.Thread(target=change_often, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    words = note_of(volume).read().value.text.split()
    assert sorted(words) == sorted(f"{name}{number}" for name in "abc" for number in range(10))
