"""The server's calls about the dates of an assignment."""

from ngshare_fs.exchange.connection import older_server
from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.connection.dates import Dates, Deadlines, dates_in, deadlines_in
from ngshare_fs.exchange.failures.problems import ASSIGNMENT_NOT_FOUND, Refused, well_formed
from ngshare_fs.exchange.sending.request_body import Body


class DatesApi:
    """The calls.

    Args:
        client: makes them.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def deadlines(self, course: str, assignment: str) -> Deadlines | None:
        """When each student's work is due; None where nothing is, or an older server does not know.

        Args:
            course, assignment: to which.
        """
        try:
            answer = self._client.call("GET", "extensions", course, assignment)
        except Refused as refusal:
            if refusal.knows_no_such_call:
                return None
            raise
        with well_formed(self._client.server.url):
            return deadlines_in(answer)

    def check_heeded(self, course: str, assignment: str) -> None:
        """Look whether the server heeds dates, be the assignment there or not.

        Args:
            course, assignment: to which they belong.

        Raises:
            ServerProblem: it is an older one, or it cannot be asked.
        """
        try:
            self._client.call("GET", "extensions", course, assignment)
        except Refused as refusal:
            if refusal.knows_no_such_call:
                raise older_server.no_dates() from None
            if not refusal.says(ASSIGNMENT_NOT_FOUND):
                raise

    def set_due(self, course: str, assignment: str, due: str) -> Dates | None:
        """Set the due date of an assignment.

        Args:
            course, assignment: of which.
            due: date, time and zone.

        Returns:
            the dates that the assignment has now.

        Raises:
            Refused: also where an older server cannot (`knows_no_such_call`).
        """
        answer = self._client.call("PATCH", "assignment", course, assignment, body=Body({"due": due}))
        with well_formed(self._client.server.url):
            return dates_in(answer)
