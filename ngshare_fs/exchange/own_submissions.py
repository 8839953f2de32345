"""What one has handed in oneself, brought back from the server: the home is lost, the work is not."""

import os
from typing import NamedTuple

from ngshare_fs.exchange.connection import older_server
from ngshare_fs.exchange.connection.exchange_api import ExchangeApi
from ngshare_fs.exchange.connection.listing import Submission
from ngshare_fs.exchange.failures.problems import PERMISSION_DENIED, Refused, ServerProblem
from ngshare_fs.exchange.folders.replacing import replacing_folder
from ngshare_fs.exchange.receiving.received_tree import check_component, check_timestamp, check_tree, write_tree


class Own(NamedTuple):
    """A submission of one's own.

    Args:
        course: to which it was handed in.
        submission: what the server's list says of it.
    """

    course: str
    submission: Submission


class BroughtBack(NamedTuple):
    """A submission that was fetched.

    Args:
        folder: where it is.
        timestamp: of the submission.
        files: how many there are.
    """

    folder: str
    timestamp: str
    files: int


def own_submissions(api: ExchangeApi, course: str = "", assignment: str = "") -> list[Own]:
    """What one has handed in, oldest first in each assignment.

    Args:
        api: the server's calls.
        course, assignment: only this one's; all where empty.

    Raises:
        ServerProblem: it cannot be had.
    """
    listing = api.listing(course)
    found = [
        Own(each.name, submission)
        for each in listing.courses
        for submission in each.submissions
        if submission.student == listing.user and assignment in ("", submission.assignment)
    ]
    return sorted(found, key=lambda own: (own.course, own.submission.assignment, own.submission.timestamp))


def bring_back(api: ExchangeApi, course: str, assignment: str, timestamp: str = "", folder: str = "") -> BroughtBack:
    """Fetch a submission of one's own, whole or not at all.

    Args:
        api: the server's calls.
        course, assignment: to which it was handed in.
        timestamp: of it; the newest where empty.
        folder: to be made; where empty, it is named after the assignment.

    Raises:
        ServerProblem: it cannot be had, or there is something already.
    """
    target = os.path.abspath(folder or check_component(assignment, "assignment"))
    if os.path.lexists(target):
        raise ServerProblem(
            f"There is a {target} already, which stays as it is. Choose a folder that is not there yet: --to FOLDER"
        )
    user = api.listing(course, patience=None).user
    with replacing_folder(target) as place:
        try:
            answer = api.submission(course, assignment, user, timestamp, place.parts)
        except Refused as refusal:
            if not refusal.says(PERMISSION_DENIED):
                raise
            raise older_server.no_submission_for_students(course) from None
        files = list(check_tree(answer))
        moment = check_timestamp(answer.get("timestamp"))
        write_tree(place.tree, files)
    return BroughtBack(target, moment, len(files))
