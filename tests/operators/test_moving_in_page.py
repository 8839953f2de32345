"""What docs/moving-in.md tells people to type does what it says."""

import re
import shlex
from pathlib import Path

import pytest

from tests.operators.old_ngshare import OldNgshare, run

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "moving-in.md").read_text(encoding="utf-8")
BLOCKS = [
    re.sub(r"^ +", "", block, flags=re.MULTILINE) for block in re.findall(r"(?:^ {4,}\S.*\n)+", PAGE, re.MULTILINE)
]


def typed(line: str, old: OldNgshare) -> list[str]:
    """The words of a command, for what is there in this test."""
    here = {
        "/srv/ngshare/ngshare.db": str(old.database),
        "/srv/ngshare/files": str(old.files),
        "/srv/exchange": str(old.data),
    }
    program, *words = shlex.split(line)
    assert program == "ngshare-fs"
    return [here.get(word, word) for word in words]


def test_the_example_is_what_is_printed(tmp_path: Path) -> None:
    old = OldNgshare(tmp_path)
    (example,) = [block for block in BLOCKS if block.startswith("$ ")]
    command, *printed = example.splitlines()
    outcome = run(*typed(command.removeprefix("$ "), old))
    # Who pages through a table reads over blanks at its lines' beginnings and ends.
    found = [line.strip() for line in outcome.out.replace(str(old.files), "/srv/ngshare/files").splitlines()]
    assert found == printed
    assert not old.data.exists()


def test_the_steps_lead_to_the_end(tmp_path: Path) -> None:
    old = OldNgshare(tmp_path)
    steps = [
        line
        for block in BLOCKS
        for line in block.splitlines()
        if re.match("ngshare-fs (import|verify) .*--(database|data) ", line)
    ]
    local = [line for line in steps if "--from-url" not in line]
    assert [line.split()[1] for line in local] == ["import", "verify"]
    assert [run(*typed(line, old)).code for line in local] == [1, 0]


@pytest.mark.parametrize("code", re.findall(r"`((?:\w+-)+\w+)`", PAGE))
def test_words_for_problems_are_those_that_are_printed(code: str) -> None:
    sources = [*ROOT.glob("ngshare_fs/transfer/**/*.py"), *ROOT.glob("ngshare_fs/command/moving/import*.py")]
    assert any(f'"{code}"' in source.read_text(encoding="utf-8") for source in sources)
