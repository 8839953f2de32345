"""When a lesson begins, many fetch the same release: what they all get is made once."""

import asyncio
import threading
from typing import Any

import pytest

from ngshare_fs.api.blocking import READERS
from ngshare_fs.api.response import tree_answer
from ngshare_fs.api.response.release_cache import ReleaseCache
from ngshare_fs.store.reading import fingerprint
from tests.conftest import Exchange
from tests.trees import contents, tree
from tests.waiting import PATIENCE


async def test_all_who_ask_at_once_get_one_answer(taught: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "RACY_NANOSECONDS", -(10**12))  # old enough at once
    files = {"f": b"1" * 10**6}
    await taught.call("POST", "assignment/c/big", "kevin", files=tree(files))
    asked = threading.Semaphore(0)
    made: list[str] = []
    get, entries = ReleaseCache.get, tree_answer._entries

    def counted_get(*arguments: Any) -> Any:
        found = get(*arguments)
        asked.release()
        return found

    def counted_entries(*arguments: Any) -> bytes:
        if not made:  # until all have seen that it is not there
            made.append("first")
            assert all(asked.acquire(timeout=PATIENCE) for _ in range(READERS))
        else:
            made.append("again")
        return entries(*arguments)

    monkeypatch.setattr(ReleaseCache, "get", counted_get)
    monkeypatch.setattr(tree_answer, "_entries", counted_entries)
    calls = [taught.call("GET", "assignment/c/big", "lawrence") for _ in range(READERS)]
    assert [contents(answer.body) for answer in await asyncio.gather(*calls)] == [files] * READERS
    assert made == ["first"]


async def test_who_fails_to_make_it_stops_nobody(taught: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "RACY_NANOSECONDS", -(10**12))
    files = {"f": b"1" * 10**6}
    await taught.call("POST", "assignment/c/big", "kevin", files=tree(files))
    entries = tree_answer._entries
    failing = iter([True, True])

    def failing_twice(*arguments: Any) -> bytes:
        if next(failing, False):
            raise OSError(5, "no luck")
        return entries(*arguments)

    monkeypatch.setattr(tree_answer, "_entries", failing_twice)
    answers = await asyncio.gather(*(taught.call("GET", "assignment/c/big", "lawrence") for _ in range(READERS)))
    assert sorted(answer.status for answer in answers) == [200] * (READERS - 2) + [503] * 2
