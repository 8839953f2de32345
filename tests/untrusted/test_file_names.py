"""Names that others chose, as names of files: safe everywhere, and in headers."""

import re
from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngshare_fs.store.errors import IllegalPath
from ngshare_fs.store.format.tree_paths import check_path
from ngshare_fs.web.untrusted.file_names import LONGEST, folded, safe_name
from ngshare_fs.web.untrusted.headers import attachment_headers
from ngshare_fs.web.untrusted.zip_names import ZipNames

HOSTILE = (
    "..", ".", "", " ", "...", "../x", "a/../../x", "/etc/passwd", "C:\\x", "c:x", "\\\\host\\share", "CON", "con.txt",
    "nul .x", "COM1", "lpt9.ipynb", "com\u00b9", "-rf", "~root", ".bashrc", "a.", "a ", "a. .", "x\0y",
    "x\r\nSet-Cookie: a=b", '"; filename="x.html', "\u202efdp.exe", "a\u200bb", "\ud800", "x" * 300, "\u00e4" * 255,
    "x" * 300 + ".ipynb", "\U0001f600.ipynb", "%2e%2e%2f", "a:b", "x|y", "*?", "\ufeffx", "\u2028",
)  # fmt: skip
NAMES = st.text(max_size=40) | st.sampled_from(HOSTILE) | st.text("aAbB.\u00df\u1e9e /", max_size=6)
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in "123456789¹²³")}


def assert_safe(name: str) -> None:
    assert name not in ("", ".", "..")
    assert not re.search('[\x00-\x1f\x7f-\x9f\\\\/:*?"<>|\u202a-\u202e\u2066-\u2069\ud800-\udfff]', name), repr(name)
    assert not name.startswith((" ", ".", "-", "~")), repr(name)
    assert not name.endswith((" ", ".")), repr(name)
    assert len(name.encode()) <= LONGEST
    assert name.partition(".")[0].rstrip(" ").lower() not in DEVICES


@given(NAMES)
def test_a_name_is_safe_everywhere(name: str) -> None:
    assert_safe(safe_name(name))
    assert safe_name(safe_name(name)) == safe_name(name)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_safe_everywhere(name: str) -> None:
    assert_safe(safe_name(name))


@pytest.mark.parametrize(
    "name", ["ps1.ipynb", "Übung 1 (neu).ipynb", "数学.ipynb", "a+b@uni.example", "x.tar.gz", "O'Neil & co"]
)
def test_what_is_safe_stays_as_it_is(name: str) -> None:
    assert safe_name(name) == name


def test_a_name_that_is_cut_keeps_its_ending() -> None:
    assert safe_name("x" * 300 + ".ipynb").endswith("x.ipynb")


@given(NAMES)
def test_a_header_has_the_name_and_nothing_else(name: str) -> None:
    value = attachment_headers(name)["Content-Disposition"]
    assert value.isascii()
    assert value.isprintable()
    message = Message()
    message["Content-Disposition"] = value
    assert message.get_content_disposition() == "attachment"
    fields = re.fullmatch(r'attachment; filename="([^"\\%]+)"(?:; filename\*=UTF-8\'\'([A-Za-z0-9%._~-]+))?', value)
    assert fields is not None
    whole = unquote(fields[2], errors="strict") if fields[2] else fields[1]
    assert whole == safe_name(name.rpartition("/")[2])


@given(st.lists(st.lists(NAMES, min_size=1, max_size=3).map("/".join), max_size=12))
def test_names_in_a_zip_lead_nowhere_and_are_different_on_any_system(paths: list[str]) -> None:
    names = ZipNames()
    student = names.folder("", "ada")
    found = [names.file(student, path) for path in paths]
    files, folders = set(), set()
    for name in found:
        check_path(name)
        parts = name.split("/")
        assert parts[0] == "ada"
        for part in parts:
            assert_safe(part)
        assert folded(name) not in files
        files.add(folded(name))
        folders |= {folded("/".join(parts[:count])) for count in range(1, len(parts))}
    assert not files & folders


def test_what_differs_in_case_alone_is_told_apart() -> None:
    names = ZipNames()
    paths = ("a.txt", "A.txt", "A.TXT", "a (2).txt", "a.txt/b", "A/b", "a/b", "A/c")
    assert [names.file("", path) for path in paths] == [
        "a.txt", "A (2).txt", "A (3).TXT", "a (2) (2).txt", "a (4).txt/b", "A/b", "a (2)/b", "A/c",
    ]  # fmt: skip


def test_thousands_of_names_that_are_one_take_no_longer_than_others() -> None:
    """Each asks for a free one where the last one was found: a million tries would show in the time of this test."""
    names = ZipNames()
    stems = [f"{number:014b}".replace("0", "x").replace("1", "X") for number in range(2**14)]
    for ending in ("", "y" * 200):
        found = {names.file("f" + ending[:1], stem + ending) for stem in stems}
        assert len({folded(name) for name in found}) == 2**14


def test_no_path_of_a_tree_is_illegal_afterwards() -> None:
    with pytest.raises(IllegalPath):
        check_path("../x")
    check_path(ZipNames().file("", "../x"))
