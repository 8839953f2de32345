"""`ngshare-fs course dates`: when assignments are released, due and closed; and moving that."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.formats.duration import duration_text
from ngshare_fs.management.server_dates import (
    SEE_EXTENSIONS,
    Dates,
    Extension,
    ServerDates,
    beginning_of_a_day,
    in_zone,
    zone_of,
)
from ngshare_fs.roster_files.rows import WrongRoster, wrong_text
from ngshare_fs.terminal.saying import counted, say
from ngshare_fs.terminal.table import table

MOMENTS = ("release", "due", "close")
KEYS = (*MOMENTS, "grace")
NONE = "none"
# What a date is in a table where there is none.
_NOTHING = "-"


def run(client: Client, given: argparse.Namespace) -> None:
    """Show dates, and set those that were given before.

    Raises:
        WrongRoster: what was given is no text; nothing was changed.
        ServerProblem: the server does not say, or does not do it.
    """
    server = ServerDates(client, given.course)
    changes = {key: text for key in KEYS if (text := getattr(given, key)) is not None}
    for key, text in changes.items():
        if (wrong := wrong_text(f"--{key}", text)) is not None:
            raise WrongRoster(f"nothing was changed: {wrong}")
    if changes:
        _change(server, given.assignment, changes, quiet=given.json)
    if given.json or not changes:
        _show(server, given.assignment, given.json)


def _change(server: ServerDates, assignment: str, changes: Mapping[str, str], quiet: bool) -> None:
    before = server.of(assignment)
    server.change(assignment, {key: "" if text.strip().lower() == NONE else text for key, text in changes.items()})
    if quiet:
        return
    after = server.of(assignment)
    for key in changes:
        old, new = before.written[key] or NONE, after.written[key] or NONE
        say(f"{key}: {old} → {new}" if old != new else f"{key}: {new}, as before")
    for line in _consequences(assignment, after):
        say(line)
    if trap := beginning_of_a_day(after.written[key] for key in ("due", "close") if key in changes):
        say(trap, sys.stderr)


def _consequences(assignment: str, now: Dates) -> list[str]:
    """What follows from dates that were just set, for people."""
    said = []
    effective = now.effective or {"state": "open", "close": None, "release": None}
    if effective["state"] == "scheduled":
        said.append(f"Students do not see {assignment} before its release.")
    if effective["close"] is not None and now.written["close"] is None:
        said.append(f"It closes at {in_zone(effective['close'], now.zone)}, by the course's close_after.")
    if effective["state"] == "late":
        said.append("The due date is over: what was and is handed in after it is late.")
    if effective["state"] == "closed":
        said.append("It is closed: only whoever has an extension beyond that hands in.")
    due = now.everybodys("due")
    no_more = [user for user, each in now.extensions.items() if due and each.due and each.due.at <= due.at]
    if no_more:
        said.append(f"These have no more time by their extensions than everybody has now: {', '.join(no_more)}")
    return said


def _show(server: ServerDates, assignment: str | None, as_json: bool) -> None:
    course, assignments = server.listed(assignment)
    if course.get("problem"):
        say(f"Cannot be read: {course['problem']}. Until that is mended, what was there before counts.", sys.stderr)
    sees_extensions = course["role"] in SEE_EXTENSIONS
    found = {
        each["assignment_id"]: server.of(each["assignment_id"])
        for each in assignments
        # Without any date there is nothing to extend; one whose file is broken has no dates to show either.
        if sees_extensions and each["dates"] is not None
    }
    if as_json:
        print(json.dumps(_document(server.course, assignments, found, sees_extensions)))
    elif not assignments:
        say(f"{server.course} has no assignments")
    elif assignment is None:
        _show_course(assignments, found, sees_extensions)
    else:
        _show_assignment(assignments[0], found.get(assignment))


def _document(
    course: str, assignments: Sequence[Mapping[str, Any]], found: Mapping[str, Dates], sees_extensions: bool
) -> dict[str, Any]:
    """All of it for programs; `extensions` is null for those whom the server does not tell."""
    return {
        "course_id": course,
        "assignments": [
            {
                "assignment_id": each["assignment_id"],
                "withdrawn": each["withdrawn"],
                "dates": each["dates"],
                "extensions": _entries(found.get(each["assignment_id"])) if sees_extensions else None,
            }
            for each in assignments
        ],
    }


def _entries(dates: Dates | None) -> list[dict[str, str | None]]:
    return [
        {
            "student_id": user,
            "due": str(each.due) if each.due else None,
            "close": str(each.close) if each.close else None,
            "reason": each.reason,
            "by": each.by,
            "at": each.at,
        }
        for user, each in (dates.extensions.items() if dates else ())
    ]


def _show_course(assignments: Sequence[Mapping[str, Any]], found: Mapping[str, Dates], sees_extensions: bool) -> None:
    zone = next((zone_of(each["dates"]) for each in assignments if each["dates"]), "")
    rows = []
    for each in assignments:
        dates = each["dates"] or {}
        if sees_extensions:
            extensions = str(len(found[each["assignment_id"]].extensions)) if dates else _NOTHING
        else:
            extensions = "yours" if dates.get("extended") else _NOTHING
        rows.append(
            [
                each["assignment_id"],
                _state(each),
                *(_short(dates.get(name), zone) for name in MOMENTS),
                _grace(dates) or _NOTHING,
                extensions,
            ]
        )
    print(table(("assignment", "state", *KEYS, "extensions"), rows, right=("extensions",)))
    say(f"{counted(len(rows), 'assignment')}. " + (f"Times are those of {zone}." if zone else "None has dates."))


def _show_assignment(listed: Mapping[str, Any], dates: Dates | None) -> None:
    say(f"{listed['assignment_id']}: {_state(listed)}")
    effective = listed["dates"]
    if effective is None:
        say("It has no dates: it is there from its release on, nothing is late, and work is always accepted.")
        return
    zone = zone_of(effective)
    for name in MOMENTS:
        moment = in_zone(effective[name], zone)
        if moment is not None:
            by_rule = dates is not None and name == "close" and dates.written["close"] is None
            # As it was written, which may be in another zone.
            written = dates.written[name] if dates is not None else None
            say(f"{name}: {written or moment}" + (", by the course's close_after" if by_rule else ""))
    if _grace(effective):
        by_rule = dates is not None and dates.written["grace"] is None
        say(f"grace: {_grace(effective)}" + (", by the course's rule" if by_rule else ""))
    if effective["extended"]:
        say(
            "These are your own dates: you have more time"
            + (f" ({effective['reason']})" if effective["reason"] else "")
        )
    if dates is not None and dates.extensions:
        rows = [[user, *_row(each)] for user, each in dates.extensions.items()]
        print(table(("extension of", "due", "close", "reason", "by", "at"), rows))


def _row(extension: Extension) -> list[str]:
    values = (extension.due, extension.close, extension.reason, extension.by, extension.at)
    return [str(value or _NOTHING) for value in values]


def _state(listed: Mapping[str, Any]) -> str:
    if listed["withdrawn"]:
        return "taken back"
    return str(listed["dates"]["state"]) if listed["dates"] else "open"


def _short(timestamp: str | None, zone: str) -> str:
    """A time in a table whose last line names the zone."""
    moment = in_zone(timestamp, zone)
    return _NOTHING if moment is None else str(moment).removesuffix(f" {zone}")


def _grace(effective: Mapping[str, Any]) -> str:
    seconds = effective.get("grace_seconds")
    return duration_text(timedelta(seconds=seconds)) if seconds else ""
