"""What students may have put into nbgrader's exchange folder, where all of them may write."""

import os
import tempfile
from pathlib import Path

import pytest

from ngshare_fs.command.main import main
from tests.operators.importing_from_nbgrader import Import, assignment, data, folder, found, take_over
from tests.operators.nbgrader_folder import COURSE, HANDED_IN, RANDOM, SECRET, ExchangeFolder
from tests.verifying import NOBODY, codes

__all__ = ["data", "folder", "take_over"]


def test_nothing_that_a_student_put_there_leads_elsewhere(
    folder: ExchangeFolder, data: Path, tmp_path: Path, take_over: Import
) -> None:
    folder.release()
    (tmp_path / "secret.txt").write_text("of the operator")
    folder.submission("honest")
    (folder.submission("link") / "notes.txt").symlink_to(tmp_path / "secret.txt")
    (folder.submission("linked-folder") / "notes").symlink_to(tmp_path)
    os.mkfifo(folder.submission("pipe") / "notes.txt")
    (folder.submission("linked-time", written=None) / "timestamp.txt").symlink_to(tmp_path / "secret.txt")
    (folder.submission("linked-secret", secret=None) / "submission_secret.txt").symlink_to(tmp_path / "secret.txt")
    (folder.submission("odd") / os.fsdecode(b"\xff.txt")).write_text("")
    inner = folder.root / COURSE / "inbound"
    (inner / f"linked+ps1+{HANDED_IN}+{RANDOM}").symlink_to(tmp_path)
    (inner / "nonsense").mkdir()
    (inner / f"+ps1+{HANDED_IN}").mkdir()
    (inner / os.fsdecode(b"\xff+ps1+" + HANDED_IN.encode())).mkdir()
    (folder.root / COURSE / "outbound/linked").symlink_to(tmp_path)
    page = folder.page(SECRET.encode() + b"problem1")
    page.unlink()
    page.symlink_to(tmp_path / "secret.txt")
    (folder.root / "linked course").symlink_to(tmp_path)
    document = take_over()
    assert found(document) == sorted(
        ["file-unusable"] * 4 + ["unreadable"] * 2 + ["no-submission"] * 3 + ["stray"] * 2 + ["feedback-unmatched"]
    )
    assert sorted(path.name for path in assignment(data).glob("submissions/*")) == ["honest", "odd"]
    assert not [path for path in data.rglob("*") if path.is_file() and b"of the operator" in path.read_bytes()]
    # Without them, when somebody says so.
    take_over("--incomplete")
    taken = sorted(path.name for path in assignment(data).glob("submissions/*"))
    assert taken == ["honest", "link", "linked-folder", "odd", "pipe"]


@pytest.mark.skipif(os.geteuid() != 0, reason="owners can be changed by root only: run the tests as root")
def test_what_may_not_be_read_waits_and_the_rest_comes(capsys: pytest.CaptureFixture[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        root.chmod(0o755)
        (root / "exchange").mkdir()
        folder = ExchangeFolder(root / "exchange")
        hidden = folder.release("ps1")
        folder.release("ps2")
        folder.submission("lawrence", assignment="ps1")
        folder.submission("lawrence", assignment="ps2")
        closed = folder.submission("max", assignment="ps2") / "problem1.ipynb"
        closed.chmod(0)
        hidden.chmod(0)
        (root / "data").mkdir()
        os.chown(root / "data", NOBODY, NOBODY)
        words = ["import", "nbgrader", "--exchange", str(folder.root), "--data", str(root / "data")]

        def as_nobody() -> tuple[int, str]:
            os.seteuid(NOBODY)
            try:
                return main(words), capsys.readouterr().out
            finally:
                os.seteuid(0)

        code, said = as_nobody()
        assert code == 1
        assert "unreadable: NBG 101 / outbound / ps1: cannot be read: Permission denied; left out with all" in said
        assert "problem1.ipynb: it cannot be read: Permission denied; its tree was left out" in said
        course = root / "data/courses" / COURSE
        assert sorted(path.parent.name for path in course.glob("assignments/*/submissions/*/*")) == ["lawrence"]
        closed.chmod(0o644)
        hidden.chmod(0o755)
        assert as_nobody()[0] == 0
        assert len(list(course.glob("assignments/*/submissions/*/*"))) == 3
        assert codes(root / "data") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="owners can be changed by root only: run the tests as root")
def test_whose_folder_it_is_is_compared_with_whose_work_it_claims_to_be(
    folder: ExchangeFolder, take_over: Import
) -> None:
    folder.release()
    os.chown(folder.submission("nobody"), NOBODY, NOBODY)
    os.chown(folder.submission("lawrence"), NOBODY, NOBODY)
    folder.submission("root")
    document = take_over()
    assert [each["message"] for each in document["problems"] if each["code"] == "owner-differs"] == [
        "belongs to the system's user nobody, not to the student: look whether it is theirs"
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="owners can be changed by root only: run the tests as root")
@pytest.mark.parametrize(
    ("owners", "said"),
    [
        ((0, 0), "all belong to root, so nobody can tell whether students handed in for others"),
        ((61001, 61002), "all belong to users that this system does not know, so nobody can tell"),
    ],
)
def test_owners_that_say_nothing_are_one_note(
    owners: tuple[int, int], said: str, folder: ExchangeFolder, take_over: Import
) -> None:
    folder.release()
    for student, owner in zip(("lawrence", "max"), owners, strict=True):
        os.chown(folder.submission(student), owner, -1)
    [message] = [each["message"] for each in take_over()["problems"] if each["code"].startswith("owner")]
    assert message.startswith(said)
