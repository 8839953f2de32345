"""Sequences of calls on assignments, submissions and feedback, to which we and ngshare 0.6.0 answer alike."""

import base64

from .calls import Call, delete, get, post
from .usual_calls import (
    ANSWER,
    BAD_CONTENT,
    BAD_PATH,
    BAD_TIMESTAMP,
    COURSE,
    HOMEWORK,
    LONG_AGO,
    NAMES,
    NO_ASSIGNMENT,
    NO_COURSE,
    NO_FILES,
    NO_STUDENT,
    NO_SUBMISSION,
    NO_TIMESTAMP,
    NOT_INSTRUCTOR,
    NOT_MEMBER,
    RELEASED,
    REMARKS,
    SUBMITTED,
    entry,
    tree,
)

WORK: dict[str, list[Call]] = {
    "an assignment is released": [
        *COURSE,
        post("stranger", "assignment/nix/hw", NO_COURSE),
        *[post(user, "assignment/c/hw", NOT_INSTRUCTOR, files="x") for user in ("ann", "stranger")],
        post("teach", "assignment/c/hw", NO_FILES),
        get("teach", "assignment/c/hw", NO_ASSIGNMENT),
        post("teach", "assignment/c/hw", files=HOMEWORK),
        post("teach", "assignment/c/hw", "409 Assignment already exists"),
        post("root", "assignment/c/hw", "409 Assignment already exists", files="not JSON"),
        post("ann", "assignment/c/hw", NOT_INSTRUCTOR, files=HOMEWORK),
        post("root", "assignment/c/ab", files=ANSWER),
        post("teach", "assignment/c/HW", files="[]"),
        *[get(user, "assignments/c") for user in ("root", "teach", "ann")],
        *[get(user, "assignment/c/hw") for user in ("root", "teach", "ann")],
        get("ann", "assignment/c/HW"),
        delete("teach", "assignment/c/hw"),
        post("teach", "assignment/c/hw", files=ANSWER),
        get("ann", "assignments/c"),
        get("ann", "assignment/c/hw"),
    ],
    "assignments are seen": [
        *RELEASED,
        *[get("stranger", path, NO_COURSE) for path in ("assignments/nix", "assignment/nix/hw")],
        *[get("stranger", path, NOT_MEMBER) for path in ("assignments/c", "assignment/c/hw", "assignment/c/nix")],
        *[get(user, "assignment/c/nix", NO_ASSIGNMENT) for user in ("root", "teach", "ann")],
        *[
            get("ann", "assignment/c/hw", list_only=value)
            for value in ("true", " true ", "false", "True", "TRUE", "1", "yes", "")
        ],
        post("root", "course/d"),
        get("root", "assignment/d/hw", NO_ASSIGNMENT),
    ],
    "an assignment is deleted": [
        *SUBMITTED,
        delete("stranger", "assignment/nix/hw", NO_COURSE),
        *[delete(user, "assignment/c/hw", NOT_INSTRUCTOR) for user in ("ann", "stranger")],
        delete("ann", "assignment/c/nix", NOT_INSTRUCTOR),
        delete("teach", "assignment/c/nix", NO_ASSIGNMENT),
        delete("teach", "assignment/c/hw"),
        delete("teach", "assignment/c/hw", NO_ASSIGNMENT),
        get("ann", "assignments/c"),
        get("ann", "assignment/c/hw", NO_ASSIGNMENT),
        get("teach", "submissions/c/hw", NO_ASSIGNMENT),
        post("teach", "assignment/c/hw", files=HOMEWORK),
        get("teach", "submissions/c/hw"),
        get("teach", "submission/c/hw/ann", NO_SUBMISSION),
        delete("root", "assignment/c/hw"),
    ],
    "files are refused": [
        *COURSE,
        *[
            post("teach", "assignment/c/hw", "400 Files cannot be JSON decoded", files=files)
            for files in ("", "not JSON", "[", "{'a': 1}")
        ],
        *[
            post("teach", "assignment/c/hw", BAD_PATH, files=entry(path=path))
            for path in ("", "/", "/a", "a/", ".", "..", "./a", "../a", "a/..", "a/../b", "a/./b", "a/../../b")
        ],
        *[post("teach", "assignment/c/hw", BAD_CONTENT, files=entry(content=content)) for content in ("Y", "YWI")],
        post("teach", "assignment/c/hw", BAD_PATH, files=tree(("good", b""), ("../bad", b""))),
        get("teach", "assignments/c"),
    ],
    "files are taken": [
        *COURSE,
        *[
            call
            for number, files in enumerate(
                (
                    " " + ANSWER + " ",
                    entry(content="YW\nI=\n"),
                    entry(content=""),
                    entry(content=base64.b64encode(bytes(range(256))).decode()),
                    entry(checksum="187ef4436122d1cc2f40dc2b92f0eba0"),
                    entry(more=1),
                    '[{"path": "x", "path": "y", "content": ""}]',
                    *[
                        entry(path=path)
                        for path in ("...", "~", "a b", " ", "a\\b", "ä/ö", "a\nb", "-", ".a", "a/b/c/d/e", "x" * 255)
                    ],
                    tree(("a", b"1"), ("b/a", b"2"), ("b/c", b"3"), ("A", b"4")),
                    tree(("big", bytes(range(256)) * 4096)),
                )
            )
            for call in (
                post("teach", f"assignment/c/{number}", files=files),
                get("ann", f"assignment/c/{number}"),
                get("ann", f"assignment/c/{number}", list_only="true"),
            )
        ],
    ],
    "a submission is made": [
        *RELEASED,
        post("stranger", "submission/nix/hw", NO_COURSE),
        post("stranger", "submission/c/hw", NOT_MEMBER),
        post("stranger", "submission/c/nix", NOT_MEMBER, files="x"),
        post("ann", "submission/c/nix", NO_ASSIGNMENT, files="x"),
        post("ann", "submission/c/hw", NO_FILES),
        post("ann", "submission/c/hw", "400 Files cannot be JSON decoded", files="not JSON"),
        post("ann", "submission/c/hw", BAD_PATH, files=entry(path="../a", content="*")),
        post("ann", "submission/c/hw", BAD_CONTENT, files=entry(content="YWI")),
        get("teach", "submissions/c/hw"),
        get("teach", "submission/c/hw/ann", NO_SUBMISSION),
        post("ann", "submission/c/hw", files=ANSWER),
        post("ben", "submission/c/hw", files="[]"),
        post("teach", "submission/c/hw", files=ANSWER),
        post("ann", "submission/c/hw", files=HOMEWORK),
        get("teach", "submissions/c/hw"),
        *[get("teach", f"submission/c/hw/{name}") for name in ("ann", "ben", "teach")],
    ],
    "an admin submits without being a member": [
        *SUBMITTED,
        post("root", "submission/c/hw", files=ANSWER),
        get("teach", "submissions/c/hw"),
    ],
    "submissions are listed": [
        *SUBMITTED,
        post("teach", "submission/c/hw", files=ANSWER),
        get("stranger", "submissions/nix/hw", NO_COURSE),
        get("stranger", "submissions/nix/hw/ann", NO_COURSE),
        *[get(user, "submissions/c/hw", NOT_INSTRUCTOR) for user in ("ann", "stranger")],
        get("ann", "submissions/c/nix", NOT_INSTRUCTOR),
        *[get(user, "submissions/c/hw/ann", NOT_INSTRUCTOR) for user in ("ben", "stranger")],
        *[get("ann", f"submissions/c/nix/{name}", NOT_INSTRUCTOR) for name in ("ben", "nobody")],
        *[get(user, "submissions/c/nix", NO_ASSIGNMENT) for user in ("root", "teach")],
        get("teach", "submissions/c/nix/nobody", NO_ASSIGNMENT),
        get("ann", "submissions/c/nix/ann", NO_ASSIGNMENT),
        *[get(user, "submissions/c/hw/nobody", NO_STUDENT) for user in ("root", "teach")],
        get("teach", "submissions/c/hw/Ann", NO_STUDENT),
        *[get(user, "submissions/c/hw") for user in ("root", "teach")],
        *[get(user, "submissions/c/hw/ann") for user in ("root", "teach", "ann")],
        get("teach", "submissions/c/hw/teach"),
        post("teach", "student/c/new", **NAMES),
        get("new", "submissions/c/hw/new"),
    ],
    "a submission is collected": [
        *SUBMITTED,
        get("stranger", "submission/nix/hw/ann", NO_COURSE),
        *[get(user, "submission/c/hw/ann", NOT_INSTRUCTOR) for user in ("ben", "stranger")],
        get("teach", "submission/c/nix/nobody", NO_ASSIGNMENT),
        *[get("teach", f"submission/c/hw/{name}", NO_STUDENT) for name in ("nobody", "stranger", "Ann")],
        get("teach", "submission/c/hw/nobody", NO_STUDENT, timestamp=LONG_AGO),
        get("teach", "submission/c/hw/teach", NO_SUBMISSION),
        get("teach", "submission/c/hw/ann", NO_SUBMISSION, timestamp=LONG_AGO),
        get("teach", "submission/c/hw/ann", NO_SUBMISSION, timestamp="@of_ben"),
        *[
            get("teach", "submission/c/hw/ann", NO_SUBMISSION, timestamp=time)
            for time in ("x", "2020-01-01", "2020-01-01 00:00:00", "2020-01-01T00:00:00.000000", "@first CET")
        ],
        *[get(user, "submission/c/hw/ann") for user in ("root", "teach")],
        *[get("teach", "submission/c/hw/ann", timestamp=time) for time in ("", "@first", "@first ", "@second")],
        *[get("teach", "submission/c/hw/ann", list_only=value) for value in ("true", "True", "")],
        get("teach", "submission/c/hw/ann", list_only="true", timestamp="@first"),
    ],
    "feedback is given": [
        *SUBMITTED,
        post("stranger", "feedback/nix/hw/ann", NO_COURSE),
        *[post(user, "feedback/c/hw/ann", NOT_INSTRUCTOR) for user in ("ann", "ben", "stranger")],
        post("ann", "feedback/c/nix/nobody", NOT_INSTRUCTOR),
        post("teach", "feedback/c/nix/nobody", NO_ASSIGNMENT),
        post("teach", "feedback/c/hw/nobody", NO_STUDENT),
        post("teach", "feedback/c/hw/ann", NO_TIMESTAMP),
        post("teach", "feedback/c/hw/ann", NO_TIMESTAMP, files="x"),
        *[
            post("teach", "feedback/c/hw/ann", BAD_TIMESTAMP, timestamp=time, files="x")
            for time in ("", "x", "2020-01-01", "2020-01-01 00:00:00", "2020-01-01T00:00:00.000000")
        ],
        *[
            post("teach", "feedback/c/hw/ann", BAD_TIMESTAMP, timestamp=time)
            for time in ("2020-02-30 00:00:00.000000 UTC", "2020-01-01 00:00:61.000000", LONG_AGO + " CET")
        ],
        post("teach", "feedback/c/hw/ann", NO_SUBMISSION, timestamp=LONG_AGO, files="x"),
        post("teach", "feedback/c/hw/ann", NO_SUBMISSION, timestamp="@of_ben", files=REMARKS),
        post("teach", "feedback/c/hw/ann", NO_FILES, timestamp="@first"),
        post("teach", "feedback/c/hw/ann", "400 Files cannot be JSON decoded", timestamp="@first", files="x"),
        get("ann", "feedback/c/hw/ann", timestamp="@first"),
        post("teach", "feedback/c/hw/ann", timestamp="@first", files=REMARKS),
        get("ann", "feedback/c/hw/ann", timestamp="@first"),
        get("ann", "feedback/c/hw/ann", timestamp="@second"),
        post("teach", "feedback/c/hw/ann", BAD_PATH, timestamp="@first", files=entry(path="../a")),
        post("teach", "feedback/c/hw/ann", BAD_CONTENT, timestamp="@first", files=entry(content="Y")),
        get("ann", "feedback/c/hw/ann", timestamp="@first"),
        post("root", "feedback/c/hw/ann", timestamp="@first", files=tree(("other.html", b"again"))),
        get("ann", "feedback/c/hw/ann", timestamp="@first"),
        post("teach", "feedback/c/hw/ann", timestamp="@first", files="[]"),
        get("ann", "feedback/c/hw/ann", timestamp="@first"),
        post("teach", "submission/c/hw", keep="of_teach", files=ANSWER),
        post("teach", "feedback/c/hw/teach", timestamp="@of_teach", files=REMARKS),
        get("teach", "feedback/c/hw/teach", timestamp="@of_teach"),
    ],
    "feedback is fetched": [
        *SUBMITTED,
        post("teach", "feedback/c/hw/ann", timestamp="@second", files=HOMEWORK),
        get("stranger", "feedback/nix/hw/ann", NO_COURSE),
        *[get(user, "feedback/c/hw/ann", NOT_INSTRUCTOR, timestamp="@second") for user in ("ben", "stranger")],
        get("ann", "feedback/c/nix/ben", NOT_INSTRUCTOR),
        get("ann", "feedback/c/nix/ann", NO_ASSIGNMENT),
        *[get(user, "feedback/c/hw/nobody", NO_STUDENT) for user in ("root", "teach")],
        *[get(user, "feedback/c/hw/ann", NO_TIMESTAMP) for user in ("root", "teach", "ann")],
        *[get("ann", "feedback/c/hw/ann", BAD_TIMESTAMP, timestamp=time) for time in ("", "x", "2020-01-01")],
        get("ann", "feedback/c/hw/ann", NO_SUBMISSION, timestamp=LONG_AGO),
        *[get("ann", "feedback/c/hw/ann", NO_SUBMISSION, timestamp=LONG_AGO + end) for end in (" ", " UTC")],
        get("ann", "feedback/c/hw/ann", NO_SUBMISSION, timestamp="@of_ben"),
        *[get(user, "feedback/c/hw/ann", timestamp="@second") for user in ("root", "teach", "ann")],
        *[get("ann", "feedback/c/hw/ann", timestamp="@second" + end) for end in (" ", " UTC", " utc", " GMT")],
        get("ann", "feedback/c/hw/ann", timestamp="@second", list_only="true"),
        get("ann", "feedback/c/hw/ann", timestamp="@second", list_only="True"),
        get("ann", "feedback/c/hw/ann", timestamp="@first"),
        get("ben", "feedback/c/hw/ben", timestamp="@of_ben"),
    ],
}
