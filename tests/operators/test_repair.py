"""`ngshare-fs repair`: each damage is mended, or left with a reason; nothing is lost, and the rest works."""

import collections
import importlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.store.checking.findings import FINDINGS, Finding
from ngshare_fs.store.checking.in_order import Later
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.repairing.table import REPAIRS
from tests.conftest import MakeExchange
from tests.killed_steps import copies_after_kills
from tests.operators.killed import quick_path
from tests.trees import tree
from tests.verifying import codes, everything
from tests.volumes import ASSIGNMENT, COURSE, RELEASED, STUDENT, Plain, write_course, write_release

__all__ = ["quick_path"]

# What damaged volumes are left with, for the damage that is in them.
LEFT = {
    "layout-newer", "course-file-missing", "course-file-broken", "key-misspelt", "two-roles", "student-differs",
    "release-missing", "file-missing", "size-differs", "checksum-differs", "journal-line-broken", "symlink",
    "assignment-file-broken", "dates-disordered", "extension-without-due",
}  # fmt: skip
# Root reads everything; see `test_repair_access.py`.
ROOT_SEES_NOTHING = {"unreadable"} if os.geteuid() == 0 else set()


def damaged(root: Path, code: str) -> Plain:
    plain = Plain(root)
    course = write_course(root, "other", ["kevin"], ["lawrence"])
    write_release(course, ("other", ASSIGNMENT), "kevin", RELEASED, {"a": b"1"})
    importlib.import_module(f"tests.damaged_volumes.{code.replace('-', '_')}").damage(plain)
    return plain


def repair(root: Path, *words: str) -> int:
    return main(["repair", "--data", str(root), *words])


def contents(root: Path) -> collections.Counter[bytes]:
    """All that the files hold, wherever they are."""
    return collections.Counter(
        path.read_bytes() for path in root.rglob("*") if path.is_file() and ".ngshare" not in path.parts
    )


def test_the_table_has_a_row_for_each_finding() -> None:
    assert list(REPAIRS) == list(FINDINGS)
    for code, row in REPAIRS.items():
        assert row.words.startswith("no: ") == (row.step is None), code
        assert row.step is not None or FINDINGS[code].is_note or code in LEFT


@pytest.mark.parametrize("code", sorted(FINDINGS))
async def test_each_damage_is_mended_or_left_and_the_rest_is_served(
    tmp_path: Path, make_exchange: MakeExchange, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = damaged(tmp_path / "volume", code).root
    before, found = contents(root), codes(root)
    status = repair(root, "--yes")
    output = capsys.readouterr()
    left = [each for each in codes(root) if not FINDINGS[each].is_note]
    if code in LEFT:
        assert (status, left) == (2 if code == "layout-newer" else 1, found)
        assert code == "layout-newer" or "left as it is: " in output.out
    else:
        assert (status, left) == (0, [])
    assert not before - contents(root), "something was lost"
    again = everything(root / "courses")
    assert repair(root, "--yes") == status
    assert everything(root / "courses") == again
    if code == "layout-newer":
        return
    exchange = await make_exchange()
    assert "other" in (await exchange.call("GET", "courses", "root")).body["courses"]
    files = tree({"p.ipynb": b"{}"})
    assert (await exchange.call("POST", f"submission/other/{ASSIGNMENT}", STUDENT, files=files)).status == 200
    if code not in LEFT | {"name-not-canonical", "course-differs"}:
        course, name = quote(COURSE), quote(ASSIGNMENT)
        assert (await exchange.call("GET", f"assignment/{course}/{name}", STUDENT)).status == 200
        submitted = await exchange.call("GET", f"submission/{course}/{name}/{STUDENT}", "kevin")
        assert (submitted.status, len(submitted.body["files"])) == (200, 2)


@pytest.mark.parametrize("code", sorted(FINDINGS))
def test_a_dry_run_says_the_same_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    root = damaged(tmp_path / "volume", code).root
    before = everything(tmp_path)
    status = repair(root, "--dry-run")
    said = capsys.readouterr().out.splitlines()
    assert everything(tmp_path) == before
    assert status == {"layout-newer": 1}.get(code, 1 if code in LEFT else 0)
    repair(root, "--yes")
    done = capsys.readouterr().out.splitlines()
    assert done[: len(said)] == said or code in ROOT_SEES_NOTHING | {"rebuilt", "layout-newer"}


@pytest.mark.parametrize(
    "code",
    [
        "manifest-broken",
        *(
            pytest.param(code, marks=pytest.mark.long)
            for code in (
                "stray",
                "course-differs",
                "trash-file-broken",
                "timestamp-differs",
                "volume-file-broken",
                "volume-file-missing",
                "name-not-canonical",
                "submission-differs",
                "path-twice",
            )
        ),
    ],
)
def test_after_a_kill_at_any_step_it_is_run_again(quick_path: Path, code: str) -> None:
    plain = damaged(quick_path / "volume", code)
    before = contents(plain.root)
    (quick_path / "copies").mkdir()
    copies = copies_after_kills(plain.root, quick_path / "copies", "repair", "--yes")
    assert len(copies) > 3
    for copy in copies:
        assert set(codes(copy)) <= {code, "rebuilt"}, copy
        assert not before - contents(copy), copy
        assert repair(copy, "--yes") == 0
        assert set(codes(copy)) <= {"rebuilt"}
        assert not before - contents(copy), copy


def test_all_damages_of_one_volume(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    together = [
        "checksum-differs", "file-extra", "not-a-timestamp", "path-illegal", "special-file", "stray",
        "trash-file-broken", "volume-file-broken", "journal-line-broken",
    ]  # fmt: skip
    plain = Plain(tmp_path / "volume")
    for code in together:
        importlib.import_module(f"tests.damaged_volumes.{code.replace('-', '_')}").damage(plain)
    before = contents(plain.root)
    assert repair(plain.root, "--yes", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert sorted(each["code"] for each in found["done"] + found["left"]) == sorted(together)
    assert {each["code"] for each in found["left"]} == {"checksum-differs", "journal-line-broken"}
    assert not before - contents(plain.root)
    assert sorted(codes(plain.root)) == ["checksum-differs", "journal-line-broken", "rebuilt"]


def test_only_what_is_named_is_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = damaged(tmp_path / "volume", "stray")
    (plain.submission / "files" / "more").touch()
    (plain.root / "courses" / "other" / "note").touch()
    assert repair(plain.root, "--yes", "--only", "file-extra", "--only", "special-file") == 0
    assert codes(plain.root) == ["stray", "stray"]
    assert repair(plain.root, "--yes", "--course", "other") == 0
    assert codes(plain.root) == ["stray"]
    capsys.readouterr()
    before = everything(plain.root)
    assert repair(plain.root, "--yes", "--only", "strays") == 2
    assert "'strays' is no code of `verify`; did you mean stray?" in capsys.readouterr().err
    assert repair(plain.root, "--yes", "--course", "nowhere") == 2
    assert "there is no course 'nowhere'" in capsys.readouterr().err
    assert set(everything(plain.root)) == set(before)


def test_nothing_is_done_unless_somebody_says_yes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = damaged(tmp_path / "volume", "stray")
    courses = everything(plain.root / "courses")
    assert repair(plain.root) == 1
    output = capsys.readouterr()
    assert "stray courses/math/assignments/notes.txt: move it to quarantine in the trash" in output.out
    assert "Nobody is there to ask: say --yes. Nothing was changed." in output.err
    assert everything(plain.root / "courses") == courses


def _home(root: Path) -> None:
    (root / "courses" / "math").mkdir(parents=True)
    (root / "courses" / "math" / "course.yaml").write_text("course: math\n")
    (root / "thesis.tex").touch()


def _empty_courses(root: Path) -> None:
    (root / "courses" / "chemistry").mkdir(parents=True)


def _newer(root: Path) -> None:
    Plain(root)
    (root / "ngshare.yaml").write_text("layout: 3 # {\n- x\n")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_home, "something else lies there, too ('thesis.tex'): is this a volume at all?"),
        (_empty_courses, "there is no course with a `course.yaml` that can be understood"),
        (_newer, "it may have had a newer layout"),
    ],
)
def test_a_folder_that_may_be_no_volume_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None], reason: str
) -> None:
    make(tmp_path / "volume")
    before = everything(tmp_path)
    assert repair(tmp_path / "volume", "--yes") == 1
    assert reason in capsys.readouterr().out
    assert everything(tmp_path) == before


def test_what_was_done_is_in_the_journal(tmp_path: Path) -> None:
    plain = damaged(tmp_path / "volume", "stray")
    (plain.root / "elsewhere").touch()
    assert repair(plain.root, "--yes") == 0
    lines = {
        file.parent.name: [json.loads(line) for line in file.read_text().splitlines()]
        for file in (plain.root / "journal").rglob("*.jsonl")
    }
    (of_course,), (of_volume,) = lines["math"], lines["volume"]
    assert (of_course["what"], of_course["via"]) == ("repair", "command")
    assert of_course["detail"] == "stray courses/math/assignments/notes.txt"
    assert of_volume["detail"] == "stray elsewhere"


def test_the_copy_of_the_trash_in_quarantine_is_no_finding(tmp_path: Path) -> None:
    plain = damaged(tmp_path / "volume", "manifest-broken")
    assert repair(plain.root, "--yes") == 0
    entries = [entry for entry in (plain.root / "trash").iterdir() if entry != plain.deletion]
    (entry,) = entries
    assert sorted(os.listdir(entry)) == ["manifest.yaml", "trash.yaml"]
    (entry / "more").touch()
    assert [(finding.code, finding.place) for finding in verify_volume(plain.root) if finding.code != "rebuilt"] == [
        ("stray", f"trash/{entry.name}/more")
    ]
    shutil.rmtree(entry)
    assert codes(plain.root) == ["rebuilt"]


def test_the_examples_in_the_documentation_are_real(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "operators.md").read_text()
    section = page.partition("### ngshare-fs verify")[2]
    examples = re.findall(r"^    \$ ngshare-fs (.+)\n((?:    .*\n)+)", section, re.MULTILINE)
    damages = {"verify": "file-missing", "repair": "stray", "migrate": "rebuilt"}
    shown = {words.split()[0]: (words.split(), text) for words, text in examples}
    assert set(damages) <= set(shown)
    for command, code in damages.items():
        plain = Plain(tmp_path / command)
        importlib.import_module(f"tests.damaged_volumes.{code.replace('-', '_')}").damage(plain)
        words, text = shown[command]
        main([str(plain.root) if word == "/srv/exchange" else word for word in words])
        printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
        assert printed == [line.removeprefix("    ").rstrip() for line in text.splitlines()]


def test_a_volume_without_damage_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = Plain(tmp_path / "volume")
    checked: list[object] = []
    check = Later.findings

    def counted(later: Later) -> list[Finding]:
        checked.append(later)
        return check(later)

    monkeypatch.setattr(Later, "findings", counted)
    assert repair(plain.root, "--yes") == 0
    assert capsys.readouterr().out == "nothing to mend\n"
    assert repair(plain.root, "--dry-run") == 0
    assert capsys.readouterr().out == "nothing to mend\n"
    assert len(checked) == 2 * 3  # two releases, one of them deleted, and a submission with its feedback
