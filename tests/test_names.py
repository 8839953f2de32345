"""Any name has a folder of its own, and gets back out of it as it was."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ngshare_fs.store.format.names import LONGEST_FOLDER, folder_of, is_cut, name_of
from tests import volumes

# All text that UTF-8 can encode; pairs that differ little are where two names would meet.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300)
AWKWARD = st.text(st.sampled_from("%./\\ \0\n~2EFfe5aÄ\u0308\u202e\U0001f4a9"), min_size=1, max_size=12)
LONG = st.builds(lambda text, times: text * times, TEXT, st.integers(2, 60))
NAMES = TEXT | AWKWARD | LONG


Test = Callable[[str], None]


def hostile(test: Test) -> Test:
    """Try the names, too, that the hand-built volumes have."""
    for name in volumes.HOSTILE_NAMES:
        test = example(name)(test)
    return test


@hostile
@given(NAMES)
def test_a_folder_is_safe_on_any_file_system(name: str) -> None:
    folder = folder_of(name)
    assert 0 < len(folder.encode()) <= LONGEST_FOLDER <= 255
    assert not folder.startswith(".")
    assert not folder.endswith((".", " "))
    assert "/" not in folder
    assert folder.isprintable() or not any(ord(letter) < 0x20 or 0x7F <= ord(letter) <= 0x9F for letter in folder)


@hostile
@given(NAMES)
def test_a_name_comes_back(name: str) -> None:
    folder = folder_of(name)
    assert is_cut(folder) == (name_of(folder) is None)
    assert name_of(folder) in (name, None)
    assert not is_cut(folder) or len(name.encode()) > 60  # short ones never need the file inside


@given(NAMES, NAMES)
@example("a" * 300, "a" * 299 + "b")
@example("é", "e\u0301")
@example("a%2Fb", "a/b")
@example("A", "a")
def test_two_names_never_share_a_folder(one: str, other: str) -> None:
    assert (folder_of(one) == folder_of(other)) == (one == other)


@hostile
@given(NAMES)
def test_the_rule_is_the_one_in_the_documentation(name: str) -> None:
    assert volumes.folder_of(name) == folder_of(name)


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=80) | AWKWARD)
def test_only_the_folder_of_a_name_leads_to_it(folder: str) -> None:
    name = name_of(folder)
    assert name is None or folder_of(name) == folder


@pytest.mark.parametrize(
    "folder",
    [
        ".",
        "..",
        ".x",
        "",
        "%",
        "%4",
        "%41",
        "%2e",
        "%2f",
        "a/b",
        "x ",
        "x.",
        "%FF",
        "%ED%A0%80",
        "\udcff",
        "a\0b",
        "\n",
    ],
)
def test_folders_that_no_name_leads_to(folder: str) -> None:
    assert name_of(folder) is None


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("NBG 101", "NBG 101"),
        ("zoë@uni.example", "zoë@uni.example"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("/etc", "%2Fetc"),
        ("a/b", "a%2Fb"),
        ("100%", "100%25"),
        ("nul\0", "nul%00"),
        ("x ", "x%20"),
        (" x", " x"),
        ("...", "%2E.%2E"),
        (" ", "%20"),
    ],
)
def test_folders_stay_readable(name: str, folder: str) -> None:
    assert folder_of(name) == folder


@pytest.mark.parametrize("name", ["", "\ud800"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"empty|surrogates"):
        folder_of(name)


def test_the_file_system_takes_every_folder() -> None:
    with tempfile.TemporaryDirectory() as root:
        for name in volumes.HOSTILE_NAMES:
            Path(root, folder_of(name)).mkdir()
        assert sorted(os.listdir(root)) == sorted(map(folder_of, volumes.HOSTILE_NAMES))
