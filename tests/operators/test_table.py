"""Tables and sizes as people read them."""

import pytest

from ngshare_fs.terminal.table import size_in_words, table


def test_columns_stand_below_each_other_whatever_is_in_them() -> None:
    rows = [("NBG 101", 7), ("数据 ps1", 12345), ("two\nlines\x1b[2J", 0)]
    assert table(["course", "size"], rows, right=["size"]).splitlines() == [
        "course               size",
        "NBG 101                 7",
        "数据 ps1            12345",
        r"two\nlines\x1b[2J       0",
    ]


def test_without_rows_there_are_the_names_of_the_columns() -> None:
    assert table(["course", "size"], []) == "course    size"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (17 * 1024, "17 KiB"),
        (1288490189, "1.2 GiB"),
        (2**70, "1048576 PiB"),
    ],
)
def test_sizes(size: int, words: str) -> None:
    assert size_in_words(size) == words
