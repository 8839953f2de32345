"""Sequences of calls to which we and ngshare 0.6.0 answer alike: every endpoint, role and error."""

from dataclasses import replace

from .calls import Call, get, post
from .same_answers_on_people import PEOPLE
from .same_answers_on_work import WORK
from .usual_calls import ANSWER, HOMEWORK, NAMES, NO_COURSE, NOT_MEMBER, people

SCENARIOS: dict[str, list[Call]] = {
    **PEOPLE,
    **WORK,
    "names as people write them": [
        post("root", "course/Übung + 1 @ä", instructors='["t@ä.org"]'),
        post("t@ä.org", "student/Übung + 1 @ä/a+b %41", **NAMES),
        post("t@ä.org", 'assignment/Übung + 1 @ä/1. Blatt (neu) & "gut"?#', files=HOMEWORK),
        get("a+b %41", "courses"),
        get("a+b %41", "assignments/Übung + 1 @ä"),
        get("a+b %41", 'assignment/Übung + 1 @ä/1. Blatt (neu) & "gut"?#'),
        post("a+b %41", 'submission/Übung + 1 @ä/1. Blatt (neu) & "gut"?#', keep="it", files=ANSWER),
        get("t@ä.org", 'submissions/Übung + 1 @ä/1. Blatt (neu) & "gut"?#/a+b %41'),
        get("t@ä.org", 'submission/Übung + 1 @ä/1. Blatt (neu) & "gut"?#/a+b %41'),
        get("a+b %41", 'feedback/Übung + 1 @ä/1. Blatt (neu) & "gut"?#/a+b %41', timestamp="@it"),
        get("a b %41", "assignments/Übung + 1 @ä", NOT_MEMBER),
        get("root", "assignments/Übung   1 @ä", NO_COURSE),
        get("root", "assignments/übung + 1 @ä", NO_COURSE),
        get(" root ", "courses"),
    ],
    "arguments of POST in the query": [
        replace(post("root", "course/c", instructors='["teach"]'), in_query=True),
        replace(post("teach", "instructor/c/teach", **NAMES), in_query=True),
        replace(post("teach", "student/c/ann", **NAMES), in_query=True),
        replace(post("teach", "students/c", students=people("ben")), in_query=True),
        replace(post("teach", "assignment/c/hw", files=ANSWER), in_query=True),
        get("teach", "students/c"),
        get("ann", "assignment/c/hw"),
    ],
    "health": [get(None, "healthz"), get("stranger", "healthz")],
}

# What needs debug mode, or its absence.
WITH_DEBUG: list[Call] = [
    *[
        get(user, "initialize-Data6ase", "400 action should be clear, init, or dump", action=action)
        for user in ("root", "stranger")
        for action in ("", "x", "Dump")
    ],
    get("stranger", "initialize-Data6ase", "400 action should be clear, init, or dump"),
    get("stranger", "initialize-Data6ase", "200 done", action="clear"),
    get("root", "courses"),
    get("stranger", "initialize-Data6ase", "200 done", action="clear"),
    get("stranger", "initialize-Data6ase", "200 done", action="init"),
    get("root", "courses"),
    *[get("root", f"{kind}/{course}") for course in ("course1", "course2") for kind in ("instructors", "students")],
    *[get("root", f"assignments/{course}") for course in ("course1", "course2")],
    get("lawrence", "assignment/course1/challenge"),
    get("eric", "assignment/course2/assignment2a"),
    get("eric", "assignment/course2/assignment2b"),
    get("kevin", "submissions/course1/challenge"),
    get("kevin", "submission/course1/challenge/lawrence"),
    get("kevin", "submission/course1/challenge/lawrence", timestamp="2020-01-01 00:00:00.000000"),
    *[
        get("lawrence", "feedback/course1/challenge/lawrence", timestamp="2020-01-01 00:00:00.000000" + end)
        for end in ("", " ", " UTC")
    ],
    get("abigail", "submissions/course2/assignment2a"),
    get("root", "initialize-Data6ase", "200 done", action="clear"),
    get("root", "courses"),
]
WITHOUT_DEBUG: list[Call] = [
    get("root", "initialize-Data6ase", "403 Debug mode is off"),
    *[
        get(user, "initialize-Data6ase", "403 Debug mode is off", action=action)
        for user in ("root", "stranger")
        for action in ("clear", "init", "x", "")
    ],
    get("stranger", "initialize-Data6ase", "403 Debug mode is off"),
    get("stranger", "initialize-Data6ase", "403 Debug mode is off", action="dump"),
]
