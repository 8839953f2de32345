"""What is called is done: once more the checks, now that nothing is still to come, then the action."""

from collections.abc import Mapping
from functools import partial

from ngshare_fs.api.call import Answer, Call, success
from ngshare_fs.api.checks import check
from ngshare_fs.api.endpoint import Endpoint


def act(call: Call, endpoint: Endpoint) -> Answer:
    """Do what an endpoint is for. Blocking; the upload is gone afterwards.

    Raises:
        Refused, StoreError, OSError: it was not done, or nobody knows whether it will last.
    """
    # The upload is given up here, in the thread that publishes it: elsewhere, somebody who no longer waits for the
    # answer could remove files that are just being published.
    with call.form:
        check(call, endpoint)
        call.last_check = partial(check, call, endpoint)
        return endpoint.action(call)


def write(call: Call, endpoint: Endpoint) -> bytes:
    """The same for an endpoint that writes a student's work: the body of its answer."""
    answer = act(call, endpoint)
    assert isinstance(answer, Mapping), endpoint.path
    return success(answer)
