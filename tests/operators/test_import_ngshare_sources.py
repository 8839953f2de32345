"""Which databases are taken for ngshare's, in which state, and what is said of others; nothing is changed by a look."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from ngshare_fs.store import Volume
from tests.operators.old_ngshare import OldNgshare, run
from tests.others.calls import Side, get
from tests.servers import running
from tests.verifying import NOBODY, everything

COURSE = "NBG 101"
NEW = (5, 4, 9, 3)


@pytest.fixture
def old(tmp_path: Path) -> OldNgshare:
    return OldNgshare(tmp_path)


def no_sqlite(old: OldNgshare) -> None:
    old.database.write_bytes(b"{}" * 500)


def empty(old: OldNgshare) -> None:
    old.database.write_bytes(b"")


def missing(old: OldNgshare) -> None:
    old.database.unlink()


def a_folder(old: OldNgshare) -> None:
    old.database.unlink()
    old.database.mkdir()


def a_pipe(old: OldNgshare) -> None:
    old.database.unlink()
    os.mkfifo(old.database)


def cut(old: OldNgshare) -> None:
    os.truncate(old.database, old.database.stat().st_size // 2)


def scrambled(old: OldNgshare) -> None:
    with old.database.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 16384)


def of_nbgrader(old: OldNgshare) -> None:
    old.database.unlink()
    old.sql("CREATE TABLE assignment (id TEXT)")
    old.sql("CREATE TABLE course (id TEXT)")


def without_a_column(old: OldNgshare) -> None:
    old.sql("ALTER TABLE submissions RENAME COLUMN student_id TO user_id")


def of_a_later_version(old: OldNgshare) -> None:
    old.sql("UPDATE alembic_version SET version_num = 'feedbeef0000'")


def without_storage(old: OldNgshare) -> None:
    shutil.rmtree(old.files)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (no_sqlite, "cannot be read as a database of SQLite (file is not a database)"),
        (empty, "is an empty database: name the one that ngshare's --database names"),
        (missing, "ngshare.db: no such file"),
        (a_folder, "is a folder: name the file, ngshare.db"),
        (a_pipe, "is a pipe: name the file, ngshare.db"),
        (cut, "bring a backup, or what `sqlite3 "),
        (scrambled, "bring a backup, or what `sqlite3 "),
        (of_nbgrader, "is no database of ngshare 0.5 or 0.6: it has no table users; its tables: assignment, course"),
        (without_a_column, "it has no column student_id in submissions; its tables: alembic_version, "),
        (of_a_later_version, "is of another ngshare than 0.5 and 0.6: its tables have the revision feedbeef0000"),
        (without_storage, "No such file or directory; name the folder of ngshare's --storage"),
    ],
)
def test_what_is_no_ngshare_is_refused(old: OldNgshare, damage, said: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    damage(old)
    before = everything(tmp_path)
    for options in ((), ("--dry-run",)):
        failed = old.move(*options, code=2)
        assert said in failed.err
        assert failed.err.count("\n") == 1
    assert everything(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name --database FILE and --storage DIR, or --from-url URL"),
        (("--database", "x"), "--database FILE and --storage DIR belong together"),
        (("--storage", "x"), "--database FILE and --storage DIR belong together"),
        (
            ("--database", "x", "--from-url", "http://127.0.0.1/"),
            "name --database FILE and --storage DIR, or --from-url",
        ),
        (("--database", "postgresql://db/ngshare", "--storage", "x"), "a database of postgresql cannot be read here"),
        (("--from-url", "http://127.0.0.1/"), "JUPYTERHUB_API_TOKEN has no token"),
        (("--from-url", "http://127.0.0.1/", "--token-file", "/nowhere"), "cannot read /nowhere: No such file"),
        (("--from-url", "http://127.0.0.1/", "--token-file", "/dev/null"), "/dev/null has no token"),
        (("--from-url", "ftp://x/", "--user", "root"), "--from-url needs a URL such as https://"),
        (("--from-url", "http://[/", "--user", "root"), "that URL is none"),
        (("--from-url", "https://me:secret@x/", "--user", "root"), "neither a password nor"),
        (("--from-url", "https://x/?token=secret", "--user", "root"), "neither a password nor"),
    ],
)
def test_wrong_words_are_refused(
    words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN", raising=False)
    failed = run("import", "ngshare", *words, "--data", str(tmp_path / "data"), code=2)
    assert said in failed.err
    assert "secret" not in failed.err
    assert list(tmp_path.iterdir()) == []


def test_ngshares_own_way_to_name_the_database_will_do(old: OldNgshare) -> None:
    words = ["--database", f"sqlite:///{old.database}", "--storage", str(old.files), "--data", str(old.data), "--json"]
    assert run("import", "ngshare", *words, code=1).new(COURSE) == NEW


@contextlib.contextmanager
def in_use(old: OldNgshare, *statements: str) -> Iterator[None]:
    """Somebody is about to write, and has not yet come to an end."""
    connection = sqlite3.connect(old.database, isolation_level=None)
    try:
        for statement in statements:
            connection.execute(statement).fetchall()
        yield
    finally:
        connection.close()


@pytest.mark.parametrize(
    "statements",
    [
        ("BEGIN IMMEDIATE", "DELETE FROM submissions"),
        ("PRAGMA journal_mode = WAL", "UPDATE assignments SET due = NULL"),
        ("PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE", "DELETE FROM submissions"),
    ],
)
def test_a_database_in_use_is_read_as_it_was_between_two_changes(old: OldNgshare, statements: tuple[str, ...]) -> None:
    with in_use(old, *statements):
        assert old.move().new(COURSE) == NEW


def test_a_transaction_that_was_cut_short_is_left_out(old: OldNgshare, tmp_path: Path) -> None:
    """As after a power cut: the journal lies beside the database, which holds half of what was to be written."""
    crashed = tmp_path / "crashed"
    with in_use(old, "PRAGMA cache_size = 1", "PRAGMA cache_spill = 1", "BEGIN IMMEDIATE", "DELETE FROM submissions",
                "DELETE FROM files", "UPDATE student_assoc_table SET email = hex(randomblob(5000))"):  # fmt: skip
        shutil.copytree(old.database.parent, crashed)
    journal = crashed / "ngshare.db-journal"
    assert journal.stat().st_size > 0
    assert (crashed / "ngshare.db").read_bytes() != old.database.read_bytes(), "something was written already"
    old.database = crashed / "ngshare.db"
    before = {path: path.read_bytes() for path in (old.database, journal)}
    assert old.move().new(COURSE) == NEW
    assert {path: path.read_bytes() for path in before} == before, "ngshare's own database stays as it is"


@pytest.mark.skipif(os.geteuid() != 0, reason="owners can be changed by root only: run the tests as root")
def test_whoever_may_not_read_it_hears_so(old: OldNgshare, tmp_path: Path) -> None:
    old.database.chmod(0o600)
    tmp_path.chmod(0o755)
    os.seteuid(NOBODY)
    try:
        failed = old.move(code=2)
    finally:
        os.seteuid(0)
    assert f"cannot copy {old.database} to " in failed.err
    assert "Permission denied" in failed.err


@pytest.mark.skipif(os.geteuid() != 0, reason="owners can be changed by root only: run the tests as root")
@pytest.mark.parametrize("is_volume", [False, True])
def test_root_makes_no_volume_in_the_folder_of_the_servers_user(old: OldNgshare, is_volume: bool) -> None:
    if is_volume:
        Volume.open(old.data).close()
    old.data.mkdir(exist_ok=True)
    for folder, _, files in os.walk(old.data):
        for path in (folder, *(os.path.join(folder, name) for name in files)):
            os.chown(path, NOBODY, NOBODY)
    before = everything(old.data)
    assert f"setpriv --reuid={NOBODY} --regid={NOBODY}" in old.move(code=2).err
    assert everything(old.data) == before


def test_the_volume_may_be_a_folder_beside_ngshares_own(old: OldNgshare) -> None:
    """Where both are to stay on one claim."""
    old.data = old.database.parent / "exchange"
    before = everything(old.files)
    assert old.move().new(COURSE) == NEW
    assert everything(old.files) == before
    with running(old.data) as server:
        body = Side(server.url).ask(get("kevin", f"assignments/{COURSE}")).body
    assert body is not None
    assert body["assignments"] == ["ps2", "ps1", "nothing in it", "odd"]


def test_a_folder_of_something_else_is_no_volume(old: OldNgshare) -> None:
    old.data.mkdir()
    (old.data / "thesis.tex").touch()
    for options in ((), ("--dry-run",)):
        assert "holds something else ('thesis.tex')" in old.move(*options, code=2).err
    assert [path.name for path in old.data.iterdir()] == ["thesis.tex"]


def test_a_place_for_a_copy_is_needed(old: OldNgshare, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a pod whose root file system is read-only, say."""
    monkeypatch.setattr("tempfile.tempdir", str(old.database))
    assert "set TMPDIR to a folder that can be written" in old.move(code=2).err


def test_it_is_said_when_ngshare_writes_meanwhile(old: OldNgshare, monkeypatch: pytest.MonkeyPatch) -> None:
    from ngshare_fs.transfer.ngshare.storage import Storage

    real = Storage.check_is_of

    def written_meanwhile(storage: Storage, database: object) -> None:
        old.sql("UPDATE assignments SET due = 1")
        real(storage, database)  # type: ignore[arg-type]

    monkeypatch.setattr(Storage, "check_is_of", written_meanwhile)
    outcome = old.move(code=1)
    assert outcome.problems("database-changed") == [str(old.database)]
    assert outcome.new(COURSE) == NEW
