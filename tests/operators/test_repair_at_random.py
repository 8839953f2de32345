"""Whatever somebody has done to a volume by hand, `repair` loses nothing, ends, and has nothing left to do."""

import collections
import json
import os
import random
import shutil
from pathlib import Path

import pytest

from ngshare_fs.command.main import main
from tests.rounds import rounds
from tests.volumes import ASSIGNMENT, COURSE, STUDENT, SUBMITTED_FILES, Plain, folder_of, write_submission

NAMES = (
    "%61", "a", "20200131T090000.000001Z", "20200230T103047.524219Z", "trash.yaml", "manifest.yaml", "files",
    "feedback", "submissions", "two\nlines", folder_of("x" * 300), ".hidden", "math", "ps1", "not utf-8 \udcff",
    "course.yaml",
)  # fmt: skip


def somewhere(root: Path, chance: random.Random) -> Path:
    places = [path for path in sorted(root.rglob("*")) if path.name != "ngshare.yaml"]
    return chance.choice(places)


def harm(root: Path, chance: random.Random) -> None:
    """Do one thing that a person, a script or a disk may do."""
    place = somewhere(root, chance)
    other = place.with_name(chance.choice(NAMES))
    what = chance.choice(("rename", "copy", "cut", "flip", "note", "folder", "link", "pipe", "move", "remove"))
    if place.is_symlink():
        return
    if what == "rename" and not os.path.lexists(other):
        place.rename(other)
    elif what == "copy" and not os.path.lexists(other) and place.is_dir():
        shutil.copytree(place, other, symlinks=True, ignore=lambda folder, names: [
            name for name in names if Path(folder, name).is_fifo()
        ])  # fmt: skip
    elif what in ("cut", "flip") and place.is_file():
        content = place.read_bytes()
        position = chance.randrange(len(content) + 1)
        place.write_bytes(content[:position] + (b"" if what == "cut" else b"?" + content[position + 1 :]))
    elif what in ("note", "folder", "link", "pipe") and not os.path.lexists(other):
        if what == "note":
            other.write_text(f"note {chance.random()}")
        elif what == "folder":
            other.mkdir()
        elif what == "link":
            other.symlink_to(chance.choice((root, "nowhere", place)))
        else:
            os.mkfifo(other)
    elif what == "move":
        folder = somewhere(root, chance)
        if folder.is_dir() and not folder.is_symlink() and place not in (folder, *folder.parents):
            target = folder / place.name
            if not os.path.lexists(target):
                place.rename(target)
    elif what == "remove" and place.is_file():
        place.unlink()


def contents(root: Path) -> collections.Counter[bytes]:
    found: collections.Counter[bytes] = collections.Counter()
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name != ".ngshare"]
        for path in (Path(folder, name) for name in files):
            if path.is_file() and not path.is_symlink():
                found[path.read_bytes()] += 1
    return found


@pytest.mark.parametrize("seed", range(rounds(40)))
def test_nothing_is_lost_and_a_second_run_has_nothing_to_do(
    tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(seed)
    plain = Plain(tmp_path / "volume")
    write_submission(plain.course, (COURSE, ASSIGNMENT), STUDENT, "2020-02-01 00:00:00.000000 UTC", SUBMITTED_FILES)
    for _ in range(chance.randrange(1, 7)):
        harm(plain.root, chance)
    before = contents(plain.root)
    arguments = ["repair", "--yes", "--json", "--data", str(plain.root)]
    status = main(arguments)
    output = capsys.readouterr()
    if status == 2:
        return  # what is no volume any more
    first = json.loads(output.out)
    assert not before - contents(plain.root), output.err
    assert "not done" not in output.err, output.err
    assert main(arguments) == status == (1 if first["left"] else 0)
    again = json.loads(capsys.readouterr().out)
    assert (again["done"], again["left"]) == ([], first["left"])
    assert main(["verify", "--data", str(plain.root)]) == status
