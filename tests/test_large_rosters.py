"""A large roster that somebody has edited by hand is read in little memory."""

import subprocess
import sys

import pytest

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import BrokenYaml
from ngshare_fs.store.format import course_file

STUDENTS = 20_000
# All that a server of 128 MiB has left for it, some 60 MiB being its own.
MOST_MIB = 40
READ = """
import resource, sys
from ngshare_fs.formats import yaml_text
from ngshare_fs.store.format import course_file
content = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
roster = yaml_text.parse(content, "course.yaml", course_file.understand)
print(len(roster.students), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def _roster(last: str) -> bytes:
    lines = ["# the students of this term", "course: c", "instructors:", "  teacher:", "students:"]
    for number in range(STUDENTS):
        lines += [f"  student{number}:", f"    first_name: First {number}", f'    last_name: "Last {number}"']
        lines += [f"    email: {number}@x   # by hand"]
    return "\n".join([*lines, last]).encode()


def test_a_large_roster_takes_little_memory() -> None:
    done = subprocess.run([sys.executable, "-c", READ], input=_roster(""), capture_output=True, check=True)
    students, mebibytes = map(int, done.stdout.split())
    assert students == STUDENTS
    assert mebibytes < MOST_MIB


@pytest.mark.parametrize(
    ("last", "problem"),
    [("  student7: {}", "given twice"), ("  eve: *max", "aliases"), ("  eve: eve@x", "on lines of their own")],
)
def test_a_mistake_in_its_last_line_is_found_there(last: str, problem: str) -> None:
    content = _roster(last)
    with pytest.raises(BrokenYaml, match=problem) as broken:
        yaml_text.parse(content, "course.yaml", course_file.understand)
    assert broken.value.line == content.count(b"\n") + 1
