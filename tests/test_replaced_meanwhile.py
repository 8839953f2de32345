"""While a course's file is replaced, NFS may say once that it is not there; its folder lists it all the same."""

import errno
import os
from collections.abc import Callable
from typing import Any

import pytest

from ngshare_fs.store import Volume, course, roster
from ngshare_fs.store.errors import CourseNotFound
from tests.stores import volume

__all__ = ["volume"]


def lost_at_first(look: Callable[..., Any], times: int) -> Callable[..., Any]:
    """The same, but that so many first looks at a course's file do not find it."""
    left = times

    def looking(path: Any, *arguments: Any, **keywords: Any) -> Any:
        nonlocal left
        if left and str(path).endswith("course.yaml"):
            left -= 1
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return look(path, *arguments, **keywords)

    return looking


@pytest.mark.parametrize("name", ["stat", "open"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_course_is_there_though_one_look_does_not_find_it(
    volume: Volume, monkeypatch: pytest.MonkeyPatch, name: str, times: int
) -> None:
    looks: tuple[Callable[[], object], ...] = (
        lambda: "kevin" in roster.of(volume, "c").instructors,
        lambda: "kevin" in roster.present(volume, "c").instructors,
        lambda: course.all_courses(volume) == ["c"],
        lambda: course.courses_where(volume, lambda _, people: "kevin" in people.instructors) == ["c"],
    )
    for look in looks:
        os.utime(f"{volume.root}/courses/c/course.yaml")  # what is known of it has to be read again
        with monkeypatch.context() as patched:
            patched.setattr(os, name, lost_at_first(getattr(os, name), times))
            assert look()


def test_a_course_whose_file_is_gone_is_none(volume: Volume) -> None:
    os.unlink(f"{volume.root}/courses/c/course.yaml")
    with pytest.raises(CourseNotFound):
        roster.of(volume, "c")
    assert course.all_courses(volume) == []
