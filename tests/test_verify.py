"""`verify` finds each kind of damage by its code, and nothing where nothing is wrong."""

import os
from pathlib import Path

import pytest

from ngshare_fs.cli import main
from ngshare_fs.store.findings import FINDINGS
from ngshare_fs.store.verify import verify_volume
from tests.conftest import Exchange
from tests.damaged_volumes import DAMAGES
from tests.hand_made import write_volume
from tests.trees import tree


def _snapshot(root: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in root.rglob("*")}


def test_every_finding_has_its_damaged_volume() -> None:
    assert set(DAMAGES) == set(FINDINGS)


@pytest.mark.parametrize("code", DAMAGES)
def test_each_damage_is_found_and_nothing_else(code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_volume(tmp_path / "volume")
    DAMAGES[code](root)
    before = _snapshot(root)
    found = list(verify_volume(root))
    assert [finding.code for finding in found] == [code], found
    assert os.path.lexists(root / found[0].path) or "missing" in code
    assert _snapshot(root) == before
    assert main(["verify", "--data", str(root)]) == 1
    assert capsys.readouterr().out == f"{code} {found[0].path}: {found[0].message}\n"


def test_a_good_volume_has_no_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_volume(tmp_path / "volume")
    assert list(verify_volume(root)) == []
    assert main(["verify", "--data", str(root)]) == 0
    assert capsys.readouterr().out == "no findings\n"
    assert main(["verify", "--data", str(tmp_path / "nowhere")]) == 2


async def test_what_the_server_writes_has_no_findings(taught: Exchange) -> None:
    long = "y" * 300
    for name in ("..", "a/b", long, "no", "a "):
        people = f'[{{"username": "{name}", "first_name": "", "last_name": "", "email": ""}}]'
        assert (await taught.call("POST", "students/c", "kevin", students=people)).status == 200
        if name.strip() == name:
            files = tree({"f/g": name.encode(), "h": b""})
            moment = (await taught.call("POST", "submission/c/a", name, files=files)).body["timestamp"]
    answer = await taught.raw("POST", "feedback/c/a/no", "kevin", timestamp=moment, files=tree({"f": b"1"}))
    assert answer.status == 200
    assert (await taught.call("PUT", "assignment/c/a", "kevin", files=tree({"f": b"1"}))).status == 200
    assert (await taught.call("POST", f"course/{long}", "root")).status == 200
    assert (await taught.call("POST", f"assignment/c/{long}", "kevin", files=tree({}))).status == 200
    assert (await taught.call("DELETE", f"assignment/c/{long}", "kevin")).status == 200
    assert list(verify_volume(taught.data)) == []
