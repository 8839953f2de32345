"""A course is renamed by `mv` while a request is under way: who hears "not found" knows that nothing was stored."""

import pytest

from ngshare_fs.access.permission import Who
from ngshare_fs.api.endpoint import Endpoint
from ngshare_fs.api.endpoints.table import ENDPOINTS
from ngshare_fs.http.refusals import INTERRUPTED
from tests.conftest import Exchange
from tests.test_removed_meanwhile import fields_of, hand_in_and_extend

CHANGES = [endpoint for endpoint in ENDPOINTS if endpoint.writes and "{course}" in endpoint.path]


@pytest.fixture
async def prepared(taught: Exchange) -> Exchange:
    """`taught`, with a submission of lawrence, who has more time than others."""
    hand_in_and_extend(taught)
    return taught


def _state(exchange: Exchange) -> dict[str, bytes]:
    """All files of the one course, whatever it is called."""
    return {
        str(path.relative_to(exchange.data / "courses")).partition("/")[2]: path.read_bytes()
        for path in exchange.data.glob("courses/*/**/*")
        if path.is_file()
    }


# Of all flushes of a change, the first is before the rename that publishes; one of the others is after it.
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("endpoint", CHANGES, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
async def test_what_is_not_found_is_not_stored(
    prepared: Exchange, endpoint: Endpoint, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _state(prepared)
    flush = prepared.volume.flusher.flush
    flushes: list[int] = []

    def moved_first(files: list[str], folders: list[str]) -> None:
        flushes.append(len(flushes) + 1)
        if flushes[-1] == number:
            (prepared.data / "courses/c").rename(prepared.data / "courses/moved")
        flush(files, folders)

    if (endpoint.method, endpoint.path) == ("POST", "course/{course}"):
        return  # what is not there cannot be moved
    monkeypatch.setattr(prepared.volume.flusher, "flush", moved_first)
    path = endpoint.path.format(
        course="c",
        assignment="new" if endpoint.new_assignment else "a",
        user="kevin" if "instructor" in endpoint.path else "lawrence",
    )
    user = "root" if endpoint.who is Who.ADMIN else "lawrence" if endpoint.who is Who.MEMBER else "kevin"
    answer = await prepared.call(endpoint.method, path, user, **fields_of(endpoint))
    was_changed = _state(prepared) != before
    if answer.status == 404:
        assert not was_changed
    else:
        assert was_changed
        assert (answer.status, answer.message) in ((200, "None"), (INTERRUPTED.status, INTERRUPTED.message))
    assert prepared.left_in_staging() == []
    if number == 1:
        assert answer.status == 404
