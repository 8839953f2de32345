"""A copy of ngshare's database to read from: its own is neither locked nor written, whoever uses it meanwhile."""

import contextlib
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from ngshare_fs.transfer.ngshare import NotNgshare

URL_START = "sqlite:///"
# Beside the database: what a transaction that is under way, or was cut short, still needs.
COMPANIONS = ("-journal", "-wal")

TABLES = {
    "users": {"id"},
    "courses": {"_id", "id"},
    "assignments": {"_id", "id", "course_id"},
    "submissions": {"_id", "assignment_id", "timestamp", "student_id"},
    "files": {"_id", "filename", "checksum", "actual_name"},
    "instructor_assoc_table": {"left_id", "right_id", "first_name", "last_name", "email"},
    "student_assoc_table": {"left_id", "right_id", "first_name", "last_name", "email"},
    "assignment_files_assoc_table": {"left_id", "right_id"},
    "submission_files_assoc_table": {"left_id", "right_id"},
    "feedback_files_assoc_table": {"left_id", "right_id"},
}
# What Alembic calls the two states that the tables of ngshare 0.3 to 0.6 have been in.
REVISIONS = {"aa00db20c10a", "1921a169739b"}
SHOWN_TABLES = 5


def path_of(database: str) -> Path:
    """The file that is meant; it may be written as ngshare's own option has it, `sqlite:////srv/ngshare/ngshare.db`.

    Raises:
        NotNgshare: it is a database of another kind.
    """
    if database.startswith(URL_START):
        return Path(database[len(URL_START) :])
    if "://" in database:
        kind = database.partition("://")[0]
        raise NotNgshare(f"a database of {kind} cannot be read here, only SQLite's: import from the server, --from-url")
    return Path(database)


State = tuple[tuple[int, int, int], ...]


def state_of(database: Path) -> State:
    """What changes with each write to a database."""
    found = []
    for path in (database, *map(database.with_name, (database.name + end for end in COMPANIONS))):
        with contextlib.suppress(OSError):
            status = path.stat()
            if path == database or status.st_size:
                found.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(found)


@contextlib.contextmanager
def opened_copy(database: Path) -> Iterator[sqlite3.Connection]:
    """Copy a database, look whether it is ngshare's, and give a connection to the copy.

    Raises:
        NotNgshare: it is not, it is damaged, or it cannot be read.
    """
    with _scratch_folder() as folder:
        copy = Path(folder, "ngshare.db")
        try:
            _copy(database, copy)
            connection = _connected(copy)
        except FileNotFoundError as error:
            raise NotNgshare(f"{error.filename}: no such file") from None
        except IsADirectoryError:
            raise NotNgshare(f"{database} is a folder: name the file, ngshare.db") from None
        except OSError as error:
            raise NotNgshare(f"cannot copy {database} to {folder}: {error.strerror} ({error.filename})") from None
        except sqlite3.DatabaseError as error:
            raise NotNgshare(_unreadable(database, error)) from None
        try:
            with contextlib.closing(connection):
                _check(connection, database)
                yield connection
        except sqlite3.DatabaseError as error:
            raise NotNgshare(_unreadable(database, error)) from None


def _scratch_folder() -> "tempfile.TemporaryDirectory[str]":
    try:
        return tempfile.TemporaryDirectory(prefix="ngshare-fs-import-")
    except OSError as error:
        raise NotNgshare(
            f"there is no place for a copy of the database ({error.strerror}): set TMPDIR to a folder that can be "
            "written"
        ) from None


def _unreadable(database: Path, error: sqlite3.DatabaseError) -> str:
    return (
        f"{database} cannot be read as a database of SQLite ({error}): where it was cut or damaged, bring a backup, or "
        f"what `sqlite3 {database} .recover` makes of it"
    )


def _copy(database: Path, copy: Path) -> None:
    if stat.S_ISFIFO(database.stat().st_mode):
        raise NotNgshare(f"{database} is a pipe: name the file, ngshare.db")
    with database.open("rb"):  # says what is wrong in the system's words, not in SQLite's
        pass
    try:
        # Under SQLite's own lock, for as long as the copy takes: the state between two transactions.
        with contextlib.ExitStack() as stack:
            url = f"file:{quote(str(database))}?mode=ro"
            source = stack.enter_context(contextlib.closing(sqlite3.connect(url, uri=True)))
            target = stack.enter_context(contextlib.closing(sqlite3.connect(copy)))
            source.backup(target)
    except sqlite3.OperationalError:
        # A transaction was cut short, or the write-ahead log has to be read, and the folder cannot be written: SQLite
        # brings that in order in the copy.
        before = state_of(database)
        for end in ("", *COMPANIONS):
            source_file = database.with_name(database.name + end)
            copy.with_name(copy.name + end).unlink(missing_ok=True)
            if source_file.exists():
                shutil.copyfile(source_file, copy.with_name(copy.name + end))
        if state_of(database) != before:
            raise NotNgshare(f"{database} is being written to: stop ngshare, and run this again") from None


def _connected(copy: Path) -> sqlite3.Connection:
    os.chmod(copy, 0o600)
    connection = sqlite3.connect(copy)
    # Names that are no UTF-8 must not keep the others from being read; they cannot be names here, and are reported.
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    return connection


def _check(connection: sqlite3.Connection, database: Path) -> None:
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    if not tables:
        raise NotNgshare(f"{database} is an empty database: name the one that ngshare's --database names")
    for table, columns in TABLES.items():
        # A table-valued function: the name is an argument, not part of the statement.
        found = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}
        if not columns <= found:
            lacking = f"no table {table}" if not found else f"no column {min(columns - found)} in {table}"
            shown = ", ".join(sorted(tables)[:SHOWN_TABLES]) + (", …" if len(tables) > SHOWN_TABLES else "")
            raise NotNgshare(f"{database} is no database of ngshare 0.5 or 0.6: it has {lacking}; its tables: {shown}")
    if "alembic_version" in tables:
        unknown = {
            revision for (revision,) in connection.execute("SELECT version_num FROM alembic_version")
        } - REVISIONS
        if unknown:
            raise NotNgshare(
                f"{database} is of another ngshare than 0.5 and 0.6: its tables have the revision {min(unknown)}; "
                "import from the server, --from-url"
            )
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise NotNgshare(
            f"{database} is damaged ({verdict}): bring a backup, or what `sqlite3 {database} .recover` says"
        )
