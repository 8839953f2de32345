"""An assignment with dates: set over the API, and handed in to at any time, past or to come."""

import hashlib
import json
import urllib.request
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, urlencode

from ngshare_fs.store import Volume, submission, timestamp_of
from ngshare_fs.store.writing.upload import IncomingFile
from tests.nbgrader.conftest import ASSIGNMENT, COURSE, School

_OF_ASSIGNMENT = f"{quote(COURSE)}/{quote(ASSIGNMENT)}"


def ask(school: School, method: str, path: str, user: str = "teacher", **fields: str) -> Any:
    """Make a call."""
    query = urlencode({"user": user, **fields})
    request = urllib.request.Request(f"{school.server.url}{path}?{query}", method=method)
    if method != "GET":
        request = urllib.request.Request(school.server.url + path, query.encode(), method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def in_vienna(school: School) -> None:
    """Have the course in that time zone."""
    with (school.volume / "courses" / COURSE / "course.yaml").open("a") as file:
        file.write("timezone: Europe/Vienna\n")


def set_dates(school: School, **dates: str) -> Any:
    """Set dates of the assignment, and give what the server says of them; `""` removes one."""
    return ask(school, "PATCH", f"assignment/{_OF_ASSIGNMENT}", **dates)["dates"]


def extend(school: School, student: str, due: str, **more: str) -> None:
    """Give a student more time."""
    ask(school, "PUT", f"extension/{_OF_ASSIGNMENT}/{quote(student)}", due=due, **more)


def take_back_extension(school: School, student: str) -> None:
    """Let the assignment's dates count for a student."""
    ask(school, "DELETE", f"extension/{_OF_ASSIGNMENT}/{quote(student)}")


def add_student(school: School, student: str) -> None:
    """Put somebody on the roster."""
    path = f"student/{quote(COURSE)}/{quote(student)}"
    ask(school, "POST", path, "root", first_name="", last_name="", email="")


def from_now(**away: float) -> str:
    """A time that far from now, to the second."""
    return f"{datetime.now(timezone.utc) + timedelta(**away):%Y-%m-%d %H:%M:%S} UTC"


def hand_in_at(school: School, student: str, moment: datetime, files: dict[str, bytes]) -> str:
    """Have work on the volume that was handed in at that time; its timestamp."""
    volume = Volume.open(school.volume)
    try:
        with volume.upload() as work:
            work.accept(
                IncomingFile(path, len(content), hashlib.md5(content).hexdigest(), content)
                for path, content in files.items()
            )
            return submission.submit(volume, COURSE, ASSIGNMENT, student, work, at=timestamp_of(moment))
    finally:
        volume.close()


def late_seconds(school: School) -> dict[tuple[str, str], int | None]:
    """What the server says of each submission: by student and timestamp."""
    courses = ask(school, "GET", "listing", course=COURSE, submissions="all")["courses"]
    return {
        (each["student_id"], each["timestamp"]): each["late_seconds"]
        for course in courses
        for each in course["submissions"]
    }
