"""A copy of what the released ngshare has stored, to be changed and moved from."""

import contextlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngshare_fs.command.main import main
from tests.operators.ngshare_content import STORED

# Of all files, unless a test says otherwise: before everything that was handed in.
WRITTEN = 1_500_000_000_123_456_789


@dataclass
class Outcome:
    """What the command said: `document` is what it printed, where that was JSON."""

    code: int
    document: dict[str, Any]
    out: str
    err: str

    def problems(self, code: str) -> list[str]:
        return [each["place"] for each in self.document["problems"] if each["code"] == code]

    def course(self, name: str) -> dict[str, Any]:
        (found,) = [each for each in self.document["courses"] if each["course"] == name]
        return dict(found)

    def new(self, name: str) -> tuple[int, int, int, int]:
        """How many people, releases, submissions and pieces of feedback of a course came."""
        course = self.course(name)
        people, releases, submissions, feedback = (
            course[kind]["new"] for kind in ("people", "releases", "submissions", "feedback")
        )
        return people, releases, submissions, feedback


class OldNgshare:
    """The folder of an ngshare, and a volume beside it to move to."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "old" / "ngshare.db"
        self.files = folder / "old" / "files"
        self.data = folder / "data"
        shutil.copytree(STORED, folder / "old")
        for file in self.files.iterdir():
            os.utime(file, ns=(WRITTEN, WRITTEN))

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Change the database, or look something up in it."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            found = connection.execute(statement, values).fetchall()
            connection.commit()
            return found

    def stored_as(self, path: str, table: str = "submission") -> Path:
        """The first file of that path of a submission, of feedback or of an assignment."""
        (name,) = self.sql(
            f"SELECT actual_name FROM files JOIN {table}_files_assoc_table ON right_id = _id "
            "WHERE filename = ? ORDER BY _id LIMIT 1",
            path,
        )[0]
        return self.files / str(name)

    @property
    def words(self) -> list[str]:
        """Those of the command that moves it."""
        return [
            "import", "ngshare", "--database", str(self.database), "--storage", str(self.files),
            "--data", str(self.data),
        ]  # fmt: skip

    def move(self, *options: str, code: int | None = None) -> Outcome:
        """Move it, in this process; check the exit code, if one is given."""
        return run(*self.words, *options, "--json", code=code)

    def start_moving(self, *options: str) -> "subprocess.Popen[bytes]":
        """Begin to move it, in a process of its own."""
        command = [sys.executable, "-m", "ngshare_fs", *self.words, *options]
        # Who is killed leaves a copy of the database where temporary files are.
        environment = {**os.environ, "TMPDIR": str(self.data.parent)}
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)

    def trees(self) -> dict[str, bytes]:
        """What is on the volume, but for what is the server's own, and the record of who did what."""
        return {
            str(path.relative_to(self.data)): path.read_bytes() if path.is_file() else b""
            for path in (self.data / "courses").rglob("*")
        }


def run(*words: str, code: int | None = None) -> Outcome:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        found = main(words)
    printed = out.getvalue()
    document = json.loads(printed) if "--json" in words and printed else {}
    assert code is None or found == code, (found, document.get("problems"), err.getvalue())
    return Outcome(found, document, printed, err.getvalue())
