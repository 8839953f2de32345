"""`verify` while others delete, remove and bring back: whatever it was just looking at, nothing is wrong."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.store import Volume, assignment, submission
from ngshare_fs.store.checking.open_folder import OpenFolder
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.renaming.forgetting import Search
from ngshare_fs.store.upkeep import restoring
from ngshare_fs.store.upkeep.emptying import empty
from ngshare_fs.store.upkeep.trash_entries import entries_in
from tests.operators.killed import quick_path
from tests.rounds import rounds
from tests.volumes import ASSIGNMENT, COURSE, STUDENT, Plain

__all__ = ["quick_path"]


def empty_the_trash(volume: Volume) -> None:
    assert empty(volume, timedelta(0), lambda _: None)


def restore(volume: Volume) -> None:
    (entry,) = entries_in(volume)
    restoring.restore(volume, restoring.plan(volume, entry))


def delete_the_assignment(volume: Volume) -> None:
    assignment.delete(volume, COURSE, ASSIGNMENT, "kevin")


def delete_the_submission(volume: Volume) -> None:
    (moment,) = [each.timestamp for each in submission.submissions_to(volume, COURSE, ASSIGNMENT)]
    submission.delete(volume, COURSE, ASSIGNMENT, STUDENT, moment, "kevin")


def forget(volume: Volume) -> None:
    for removal in list(Search(volume, STUDENT, []).removals()):
        removal.act()


ACTIONS = (empty_the_trash, restore, delete_the_assignment, delete_the_submission, forget)
LOOKS = ("names", "status", "read", "open_file", "enter")


@contextmanager
def at_look(number: int, act: Callable[[], None], patch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Do something directly after `verify` has looked at something for so many times; gives what it looked at."""
    looks: list[str] = []

    def patched(name: str) -> Callable[..., Any]:
        real = getattr(OpenFolder, name)

        def look(folder: OpenFolder, *words: Any) -> Any:
            try:
                return real(folder, *words)
            finally:
                looks.append(name)
                if len(looks) == number:
                    act()

        return look

    with patch.context() as here:
        for name in LOOKS:
            here.setattr(OpenFolder, name, patched(name))
        yield looks


def volume_with_a_deletion(root: Path) -> Plain:
    """One with work in a course, and a deleted assignment with work, too."""
    plain = Plain(root)
    work = Path("submissions") / STUDENT
    shutil.copytree(plain.assignment / work, plain.deletion / "old" / work)
    return plain


@pytest.mark.parametrize("act", ACTIONS, ids=lambda act: act.__name__)
def test_nothing_is_found_whatever_happens_between_two_looks(
    act: Callable[[Volume], None], quick_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = volume_with_a_deletion(quick_path / "undisturbed").root
    with at_look(0, lambda: None, monkeypatch) as looks:
        assert list(verify_volume(undisturbed)) == []
    assert len(looks) > 100
    for number in range(1, len(looks), max(1, 8 // rounds(8))):
        root = quick_path / str(number)
        volume_with_a_deletion(root)
        volume = Volume.open(root)
        with at_look(number, lambda: act(volume), monkeypatch):  # noqa: B023 - called in this round
            found = list(map(str, verify_volume(root)))
        volume.close()
        assert found == [], f"at look {number}"
        assert list(verify_volume(root)) == []


def test_what_is_missing_beside_what_was_removed_is_found(tmp_path: Path) -> None:
    plain = volume_with_a_deletion(tmp_path / "volume")
    (plain.submission / "manifest.yaml").unlink()
    (plain.feedback / "files" / os.listdir(plain.feedback / "files")[0]).unlink()
    (plain.deletion / "trash.yaml").unlink()
    codes = sorted(finding.code for finding in verify_volume(plain.root))
    assert codes == ["file-missing", "manifest-missing", "trash-file-missing"]
