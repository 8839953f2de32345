"""The checks before every action."""

from ngshare_fs.access import permission
from ngshare_fs.api.call import Call
from ngshare_fs.api.endpoint import Endpoint


def check(call: Call, endpoint: Endpoint) -> None:
    """Check what needs no arguments: course, permission, assignment, student.

    Raises:
        Refused, StoreError: a check fails.
    """
    call.people = permission.check(call.asking, endpoint.conditions)
