"""A flush that many wait for."""

import os
import threading
from pathlib import Path

import pytest

from ngshare_fs.file_systems.mounted import FileSystem
from ngshare_fs.store.writing import flushers
from ngshare_fs.store.writing.durability import DirtySet
from ngshare_fs.store.writing.flushers import AllTogether, EachByItself


def test_whoever_waits_for_a_round_that_was_given_up_hears_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushers, "FEW", 0)
    flusher = AllTogether(str(tmp_path), EachByItself())
    first_is_in, others_wait = threading.Event(), threading.Event()
    heard: list[BaseException | None] = []

    def sync() -> None:
        if not first_is_in.is_set():
            first_is_in.set()
            others_wait.wait(30)
        else:
            raise MemoryError

    monkeypatch.setattr(flusher, "_sync", sync)

    def flush() -> None:
        try:
            flusher.flush([], [os.fspath(tmp_path)])
        except BaseException as error:
            heard.append(error)
        else:
            heard.append(None)

    threads = [threading.Thread(target=flush) for _ in range(4)]
    threads[0].start()
    assert first_is_in.wait(30)
    for thread in threads[1:]:
        thread.start()
    while flusher._under_way < len(threads):
        pass
    others_wait.set()
    for thread in threads:
        thread.join(30)
    flusher.close()
    assert heard.count(None) == 1
    assert all(isinstance(error, MemoryError | OSError) for error in heard if error is not None)


def test_on_nfs_what_was_written_is_flushed_once_and_not_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each path costs some tens of questions to the server where nothing is cached."""
    monkeypatch.setattr(flushers, "file_system_of", lambda _: FileSystem("nfs4"))
    flusher = flushers.flusher_for(str(tmp_path))
    flushed, fsync = [], os.fsync

    def noted(descriptor: int) -> None:
        flushed.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    dirty = DirtySet(flusher)
    dirty.make_folder(f"{tmp_path}/folder")
    dirty.write_file(f"{tmp_path}/folder/file", b"content")
    assert flushed == [f"{tmp_path}/folder/file"]
    dirty.flush()
    assert flushed == [f"{tmp_path}/folder/file"]
    (tmp_path / "uploaded").touch()
    dirty.add_file(f"{tmp_path}/uploaded")
    dirty.flush_entry(str(tmp_path))
    assert sorted(flushed[1:]) == [str(tmp_path), f"{tmp_path}/uploaded"]
    flusher.close()
