"""When feedback was given to a class, kept in memory: what has changed is seen at once."""

import os
import shutil
from pathlib import Path

import pytest

from ngshare_fs.store import Submission, Timestamp, Volume, feedback, submission
from ngshare_fs.store.reading import cached_feedback, fingerprint
from tests.stores import hand_in, upload, volume

__all__ = ["volume"]


def give(volume: Volume, found: Submission) -> Timestamp:
    with upload(volume, f=b"1") as files:
        return feedback.give(volume, "c", "a", *found, "kevin", files)


def known(volume: Volume) -> dict[Submission, Timestamp]:
    return feedback.given_on(volume, "c", "a", submission.submissions_to(volume, "c", "a"))


@pytest.mark.parametrize("is_settled", [True, False])
def test_what_comes_and_goes_is_seen_at_the_next_look(
    volume: Volume, is_settled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_settled:  # folders that were changed just now are kept, too
        monkeypatch.setattr(cached_feedback, "RACY_NANOSECONDS", -fingerprint.RACY_NANOSECONDS)
    long = "x" * 300
    ada, zoe = (Submission(name, hand_in(volume, name)) for name in ("ada", long))
    assert known(volume) == {}
    first = give(volume, ada)
    assert known(volume) == {ada: first}
    second, other = give(volume, ada), give(volume, zoe)
    assert known(volume) == {ada: second, zoe: other}
    assert known(volume) == {each: feedback.given_at(volume, "c", "a", *each) for each in (ada, zoe)}
    for folder in Path(volume.root).glob("courses/c/assignments/a/submissions/ada/*/feedback"):
        shutil.rmtree(folder)
    assert known(volume) == {zoe: other}
    submission.delete(volume, "c", "a", *zoe, by="kevin")
    assert feedback.given_on(volume, "c", "a", [ada, zoe]) == {}


def test_what_is_not_there_has_none(volume: Volume) -> None:
    nobody = Submission("nobody", Timestamp("2020-01-01 00:00:00.000000 UTC"))
    assert feedback.given_on(volume, "c", "a", [nobody]) == {}
    assert feedback.given_on(volume, "c", "no such", [nobody]) == {}


def test_a_folder_without_feedback_and_what_is_no_folder(volume: Volume) -> None:
    ada, max_ = (Submission(name, hand_in(volume, name)) for name in ("ada", "max"))
    trees = Path(volume.root) / "courses/c/assignments/a/submissions"
    os.mkdir(next((trees / "ada").iterdir()) / "feedback")
    (next((trees / "max").iterdir()) / "feedback").write_text("x")
    assert feedback.given_on(volume, "c", "a", [ada, max_]) == {}


def test_only_so_many_are_kept(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached_feedback, "RACY_NANOSECONDS", -fingerprint.RACY_NANOSECONDS)
    monkeypatch.setattr(cached_feedback, "MOST_SUBMISSIONS", 2)
    found = [Submission(name, hand_in(volume, name)) for name in ("a", "b", "c")]
    expected = {each: give(volume, each) for each in found}
    for _ in range(3):
        assert known(volume) == expected
