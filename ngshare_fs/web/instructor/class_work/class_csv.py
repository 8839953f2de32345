"""The table of a class as a file for a spreadsheet: all rows, not only those of one part."""

from collections.abc import Iterator

from ngshare_fs.access.permission import Who
from ngshare_fs.store import Timestamp
from ngshare_fs.store.problems import Problems
from ngshare_fs.web.frame.download import Document, Download
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.instructor.class_work.matrix import Matrix, assignments_shown, matrix, wanted_by
from ngshare_fs.web.texts.catalogue import Catalogue, catalogue
from ngshare_fs.web.texts.times import local_time
from ngshare_fs.web.untrusted.csv_table import csv_table


def opens(visit: Visit) -> Document:
    """The filtered table; of all assignments where none is chosen."""
    problems = Problems(visit.volume)
    assignments = assignments_shown(visit, problems)
    found = matrix(visit, assignments, wanted_by(visit, assignments), problems, is_whole=True)
    texts = catalogue(visit.language)
    # A German spreadsheet expects a semicolon: there, a comma is part of a number.
    content = csv_table(_rows(found, texts, visit.zone), str(texts("class-csv.separator")))
    return Document(f"{visit.course}.csv", "text/csv; charset=utf-8", content)


def _rows(found: Matrix, texts: Catalogue, zone: str) -> Iterator[list[str | int | None]]:
    of_member = ("user", "first-name", "last-name", "email", "roster")
    headings: list[str | int | None] = [_plain(texts, f"class-csv.{key}") for key in of_member]
    words = [_plain(texts, f"class-csv.{key}") for key in ("handed-in", "late", "times", "feedback")]
    words[0] = f"{words[0]} ({zone})"
    yield headings + [f"{column.assignment}: {word}" for column in found.columns for word in words]
    on, left = _plain(texts, "class-csv.on"), _plain(texts, "class-csv.left")
    for member in found.members:
        person = member.person
        row: list[str | int | None] = [member.user, person.first_name, person.last_name, person.email]
        row.append(left if member.has_left else on)
        for column in found.columns:
            cell = found.cell(column, member)
            if cell is None:
                row += [None, None, 0, None]
            else:
                row += [_local(cell.newest, zone), cell.late_seconds, cell.times, _local(cell.feedback, zone)]
        yield row


def _plain(texts: Catalogue, key: str) -> str:
    return texts.texts[key]


def _local(moment: Timestamp | None, zone: str) -> str | None:
    return None if moment is None else local_time(moment, zone).isoformat(" ", "seconds")[:19]


CLASS_CSV = Download("pages/class-csv/{course}", Who.GRADER, opens)
