"""Zips that somebody has made anywhere: what is taken of them, and that nothing takes more memory than it may."""

import contextlib
import io
import tracemalloc
import zipfile

import pytest

from ngshare_fs.formats.chosen_zip import Problem, UnfitZip, opened
from tests.zips import by_a_mac, by_dos, encrypted, lying, of_many, sharing, with_link, zipped

MOST_FILES, MOST_BYTES = 100, 100_000


def unpacked(content: bytes) -> dict[str, bytes]:
    with opened(io.BytesIO(content), MOST_FILES, MOST_BYTES) as found:
        assert found.size <= MOST_BYTES
        return {entry.path: b"".join(found.content(entry, 1000)) for entry in found.entries}


def problem_of(content: bytes) -> Problem:
    with pytest.raises(UnfitZip) as raised:
        unpacked(content)
    return raised.value.problem


def with_comment(content: bytes, comment: bytes) -> bytes:
    made = io.BytesIO(content)
    with zipfile.ZipFile(made, "a") as archive:
        archive.comment = comment
    return made.getvalue()


FILES = {"d/": b"", "d/a": bytes(5000), "ä/ö \u202e": b"2", "empty": b"", "inner.zip": zipped({"x": b"1"})}


def _name_of(value: object) -> str:
    """Of a test: zips have the time in them, and each worker would collect tests of other names."""
    return value.name if isinstance(value, Problem) else "zip"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (zipped(FILES), {name: content for name, content in FILES.items() if name != "d/"}),
        (zipped(FILES, zipfile.ZIP_STORED), {name: content for name, content in FILES.items() if name != "d/"}),
        (with_comment(zipped({"a": b"1"}), b"x" * 60_000), {"a": b"1"}),
        (b"in front" * 100 + zipped({"a": b"1"}), {"a": b"1"}),
        (by_dos("d/ü.txt", b"1"), {"d/ü.txt": b"1"}),
        (by_a_mac("d/u\u0308\\.txt", b"1"), {"d/u\u0308\\.txt": b"1"}),
        (zipped({"../../x": b"1", "/y": b"2"}), {"../../x": b"1", "/y": b"2"}),  # whoever stores it checks paths
        (zipped({}), {}),
        (sharing(1, 1000), {"x": b"1"}),
    ],
    ids=_name_of,
)
def test_what_is_in_a_zip(content: bytes, expected: dict[str, bytes]) -> None:
    assert unpacked(content) == expected


def test_a_zip_with_64_bits_is_one_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    content = zipped({"a": b"1", "b": b"2"})
    assert b"PK\6\6" in content
    assert unpacked(content) == {"a": b"1", "b": b"2"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", Problem.NONE),
        (b"%PDF" + bytes(100_000), Problem.NONE),
        (zipped({"a": b"1"})[:-10], Problem.NONE),
        (zipped({"a": b"1" * 5000})[10:], Problem.DAMAGED),
        (zipped({"a": bytes(range(256)) * 9}, zipfile.ZIP_STORED).replace(b"\1\2\3", b"\1\2\4"), Problem.DAMAGED),
        (encrypted("a"), Problem.ENCRYPTED),
        (with_link("a", "/etc/passwd"), Problem.LINK),
        (zipped({"a": b"1" * 1000}, zipfile.ZIP_BZIP2), Problem.METHOD),
        (zipped({"a": b"1" * 1000}, zipfile.ZIP_LZMA), Problem.METHOD),
        (zipped({"bomb": bytes(MOST_BYTES + 1)}), Problem.LARGE),
        (zipped({"a": bytes(MOST_BYTES - 10), "b": bytes(11)}), Problem.LARGE),
        (zipped({str(number): b"" for number in range(MOST_FILES + 1)}), Problem.MANY),
        (of_many(3 * MOST_FILES), Problem.MANY),
        (lying(50_000), Problem.DAMAGED),
        (sharing(2, 1000), Problem.DAMAGED),  # each would be unpacked anew
    ],
    ids=_name_of,
)
def test_what_is_not_taken(content: bytes, problem: Problem) -> None:
    assert problem_of(content) is problem


def test_a_million_entries_take_no_memory() -> None:
    content = of_many(1_000_000)
    tracemalloc.start()
    try:
        assert problem_of(content) is Problem.MANY
        # The zip itself is not copied; the last of its 64 KiB are looked at.
        assert tracemalloc.get_traced_memory()[1] < len(content) + 2**20
    finally:
        tracemalloc.stop()


def test_any_byte_may_be_wrong() -> None:
    whole = zipped({"a": b"1" * 300, "d/b": b"2" * 300})
    for at in range(len(whole)):
        for wrong in (0, 0xFF, whole[at] ^ 1):
            content = whole[:at] + bytes([wrong]) + whole[at + 1 :]
            with contextlib.suppress(UnfitZip):
                assert sum(map(len, unpacked(content).values())) <= MOST_BYTES
