"""When many hand in at once, a process beside the server writes: the same answers, even where it is killed."""

import asyncio
import os
import pickle
import signal
from collections.abc import Iterator

import pytest

from ngshare_fs.api.writer import WriterStarter, WriteScheduler, write_scheduler
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import OF_STORE_ERROR, Refused
from ngshare_fs.store.errors import BrokenManifest
from tests.conftest import Exchange, MakeExchange, until
from tests.servers import writing_processes
from tests.test_bodies import (  # noqa: F401 - the same tests, by way of the other process
    FILES,
    check_that_it_is_refused,
    test_every_legal_tree_comes_back,
    test_of_the_same_path_or_key_twice_the_last_counts,
    test_text_that_is_no_text_is_refused,
)
from tests.test_calls_of_the_plugins import (  # noqa: F401
    handed_in,
    test_a_deleted_submission_is_in_the_trash,
    test_a_key_belongs_to_who_used_it_and_to_its_files,
    test_a_receipt_names_what_is_stored,
    test_a_repeated_submission_is_one,
    test_large_work_is_collected_whole,
    test_many_repeats_at_once_are_one,
    test_only_instructors_hand_in_for_others,
    test_the_listing_has_all_that_nbgrader_shows,
)
from tests.test_dates_in_api import test_after_its_close_only_those_who_teach_hand_in  # noqa: F401
from tests.writing_process import (
    LARGE,
    beside,
    exchange,
    forked,
    hand_in,
    held_up,
    made,
    staged_by,
    staged_trees,
    submissions,
    taught_course,
)

__all__ = ["exchange", "made"]


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WriterStarter]:
    """One for all tests of this module: nobody does anything to it here."""
    with forked(tmp_path_factory.mktemp("starter")) as started:
        yield started


async def test_a_rush_is_written_by_another_process(make_exchange: MakeExchange, made: list[WriteScheduler]) -> None:
    exchange = await make_exchange()
    await taught_course(exchange)
    answers = await asyncio.gather(*(hand_in(exchange) for _ in range(40)))
    writer = await beside(made)
    assert writer.pid in writing_processes(os.getpid())
    answers += await asyncio.gather(*(hand_in(exchange, size) for size in (10, LARGE, 0) for _ in range(10)))
    assert {answer.status for answer in answers} == {200}
    moments = await submissions(exchange)
    assert sorted(answer.body["timestamp"] for answer in answers) == moments == sorted(set(moments))
    assert exchange.left_in_staging() == []


@pytest.mark.parametrize(
    ("message", "files"),
    [
        pytest.param(message, text, marks=pytest.mark.long if number else ())
        for message, texts in FILES.items()
        for number, text in enumerate(texts)
    ],
)
async def test_a_wrong_tree_is_refused_with_its_reason(taught: Exchange, message: str, files: str | None) -> None:
    """One for each reason in the short check: each is a process of its own."""
    await check_that_it_is_refused(taught, message, files)


@pytest.mark.parametrize("size", [100, LARGE])
async def test_when_it_is_killed_the_clients_hear_so_and_threads_go_on(
    taught: Exchange, made: list[WriteScheduler], size: int, caplog: pytest.LogCaptureFixture
) -> None:
    writer = made[0].writer
    assert writer is not None
    with held_up(taught):
        asked = [asyncio.create_task(hand_in(taught, size)) for _ in range(3)]
        await until(lambda: len(staged_trees(taught)) == 3, "all are staged")
        os.kill(writer.pid, signal.SIGKILL)
        answers = await asyncio.gather(*asked)
    assert {(answer.status, answer.message) for answer in answers} == {(503, refusals.INTERRUPTED.message)}
    assert answers[0].headers["Retry-After"]
    assert await submissions(taught) == []
    await until(lambda: made[0].writer is None and len(staged_by(taught)) == 1, "what it had staged is swept")
    assert (await hand_in(taught, size)).status == 200
    assert len(await submissions(taught)) == 1
    assert made[0].writer is None  # for a while
    assert f"the writing process {writer.pid} ended unasked" in caplog.text
    await until(lambda: not taught.left_in_staging(), "all of that is removed")


async def test_one_that_was_killed_is_replaced(
    make_exchange: MakeExchange, made: list[WriteScheduler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_scheduler, "PAUSE_SECONDS", 0.01)
    taught = await make_exchange()
    await taught_course(taught)
    for _ in range(3):
        writer = await beside(made)
        assert (await hand_in(taught)).status == 200
        os.kill(writer.pid, signal.SIGKILL)
        await until(lambda: made[0].writer not in (None, writer), "another one")  # noqa: B023 - of this round
    assert (await hand_in(taught)).status == 200
    assert len(await submissions(taught)) == 4


async def test_it_heeds_no_signal_of_a_terminal(taught: Exchange, made: list[WriteScheduler]) -> None:
    writer = made[0].writer
    assert writer is not None
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        os.kill(writer.pid, number)
    assert (await hand_in(taught)).status == 200
    assert made[0].writer is writer


@pytest.mark.parametrize(
    "raised",
    [
        Refused(refusals.PERMISSION_DENIED, "why"),
        BrokenManifest("course.yaml", 3, "why"),
        *(error("why") for error in OF_STORE_ERROR if error is not BrokenManifest),
    ],
    ids=repr,
)
def test_what_is_raised_there_arrives_here(raised: Exception) -> None:
    arrived = pickle.loads(pickle.dumps(raised))
    assert (type(arrived), str(arrived), vars(arrived)) == (type(raised), str(raised), vars(raised))
