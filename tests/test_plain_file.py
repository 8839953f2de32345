"""What is read of an ordinary file is all of it, whatever its size, and by one look."""

import os
from pathlib import Path

import pytest

from ngshare_fs.store.files import plain_file
from ngshare_fs.store.files.plain_file import read_plain, read_up_to

PIECE = 2**20


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_all_of_it_is_read(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    content = os.urandom(size)
    file.write_bytes(content)
    looks = []
    look = os.fstat

    def noted(descriptor: int) -> os.stat_result:
        looks.append(descriptor)
        return look(descriptor)

    monkeypatch.setattr(os, "fstat", noted)
    # A file object would look by itself.
    monkeypatch.setattr(os, "fdopen", None)
    monkeypatch.setattr("builtins.open", None)
    status, found = read_plain(str(file))
    assert (status.st_size, found) == (size, content)
    assert len(looks) == 1


def test_what_is_written_meanwhile_is_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"1")
    look = plain_file.check_plain

    def append_and_look(path: str, status: os.stat_result) -> None:
        with file.open("ab") as opened:
            opened.write(b"2" * 2 * PIECE)
        look(path, status)

    monkeypatch.setattr(plain_file, "check_plain", append_and_look)
    _, found = read_plain(str(file))
    assert found == b"1" + b"2" * 2 * PIECE


@pytest.mark.parametrize("most", [0, 1, PIECE, PIECE + 1, 5 * PIECE])
def test_so_many_bytes_are_read_and_no_more(tmp_path: Path, most: int) -> None:
    content = os.urandom(2 * PIECE)
    file = tmp_path / "file"
    file.write_bytes(content)
    descriptor = os.open(file, os.O_RDONLY)
    try:
        assert read_up_to(descriptor, most) == content[:most]
    finally:
        os.close(descriptor)
