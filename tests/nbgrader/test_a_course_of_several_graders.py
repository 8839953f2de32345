"""A shared course (`groupshared`) with graders who are different users of the system, in one group."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.whole_cycle import environments
from tests.nbgrader.conftest import ASSIGNMENT, COURSE, School
from tests.nbgrader.people import Person
from tests.nbgrader.test_nothing_is_lost import hand_in

pytestmark = pytest.mark.others

GROUP = 61000


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that others reach, too: pytest's own are root's."""
    if os.geteuid() or not shutil.which("setpriv"):
        pytest.skip("becoming other users needs root, and setpriv (util-linux): run the tests as root")
    place = Path(tempfile.mkdtemp(prefix="graders-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


def as_user(user: int, umask: int) -> tuple[str, ...]:
    """What begins a command that somebody else of the group runs; skip, where the interpreter is out of their reach."""
    account = ("setpriv", f"--reuid={user}", "--regid=60000", f"--groups={GROUP}")
    # Where the interpreter is in root's own folder, they may read everything; they write no more than others.
    reading = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    for capabilities in ((), reading):
        prefix = (*account, *capabilities, "sh", "-c", f'umask {umask:03o} && exec "$@"', "sh")
        python = environments.for_plug_ins() / "python"
        if not subprocess.run([*prefix, str(python), "-c", ""], capture_output=True, check=False).returncode:
            return prefix
    pytest.skip(f"{python} cannot be run by other users")


@pytest.mark.parametrize("umask", [0o007, pytest.param(0o022, marks=pytest.mark.long)])
def test_one_grader_updates_what_another_has_collected(school: School, public: Path, umask: int) -> None:
    school.release_and_fetch()
    hand_in(school.max, "1")
    course = public / "course"
    course.mkdir()
    os.chown(course, 0, GROUP)
    course.chmod(0o2770)
    graders = []
    for number in (1, 2):
        grader = Person("teacher", public / f"grader{number}", environments.for_plug_ins(), school.server.url)
        grader.prefix = as_user(61000 + number, umask)
        with (grader.home / ".jupyter/nbgrader_config.py").open("a") as file:
            file.write(f"c.CourseDirectory.course_id = {COURSE!r}\nc.CourseDirectory.groupshared = True\n")
            file.write(f"c.CourseDirectory.root = {str(course)!r}\n")
            file.write(f"c.CourseDirectory.db_url = 'sqlite:///{grader.home}/gradebook.db'\n")
        for place in (grader.home, *grader.home.rglob("*")):
            os.chown(place, 61000 + number, 60000)
        graders.append(grader)
    first, second = graders
    first.run("collect", ASSIGNMENT)
    folder = course / "submitted/max" / ASSIGNMENT
    for place in (folder, folder.parent, folder.parent.parent):
        assert place.stat().st_mode & 0o2770 == 0o2770, place
        assert place.stat().st_gid == GROUP

    # A colleague's command was killed long ago, and what it left is out of reach.
    left = folder.parent / ".ngshare-fs-0123"
    (left / "replaced").mkdir(parents=True)
    os.chown(left, 61001, 60000)
    left.chmod(0o700)
    hand_in(school.max, "2")
    said = second.run("collect", ASSIGNMENT, "--update")
    assert "Updating submission: max" in said
    assert (folder / "own.txt").read_text() == "2"
    assert folder.stat().st_uid == 61002
    # And back.
    shutil.rmtree(left)
    (folder / "grader's notes.txt").write_text("kept")
    hand_in(school.max, "3")
    first.run("collect", ASSIGNMENT, "--update")
    assert (folder / "own.txt").read_text() == "3"
    (notes,) = (course / "replaced/max" / ASSIGNMENT).glob("*/grader's notes.txt")
    for place in notes.parents[1:4]:
        assert place.stat().st_mode & 0o2770 == 0o2770, place
    assert not list(course.rglob(".ngshare-fs-*"))
