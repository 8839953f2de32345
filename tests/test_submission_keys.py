"""A submission is there once, however often and by whatever way it is handed in with its key, and the look is cheap."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ngshare_fs.store import Manifest, Timestamp, Volume, course, dated_tree, release, submission
from ngshare_fs.store.errors import KeyUsed
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.reading.tree import Manifests, manifest_at, may_have_key
from ngshare_fs.store.writing.upload import IncomingFile
from tests.conftest import Exchange
from tests.rounds import rounds
from tests.trees import tree

SERVERS = 3
SUBMISSIONS = 12
ATTEMPTS_AT_ONCE = 4
HOUR = 3600
SECONDS = 60
WORK = tree({"p.ipynb": b"{}"})
TIME_OF_NO_SUBMISSION = "2020-01-01 00:00:00.000001 UTC"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[Volume]]:
    """Several servers' own views of one volume."""
    with ExitStack() as open_volumes:
        opened = [Volume.open(tmp_path / "volume") for _ in range(SERVERS)]
        for volume in opened:
            open_volumes.callback(volume.close)
        course.create(opened[0], "c", ["kevin"])
        with opened[0].upload() as nothing:
            release.release(opened[0], "c", "a", "kevin", nothing)
        yield opened


def hand_in(volume: Volume, key: str, after: Timestamp | None, content: bytes = b"1") -> Timestamp:
    with volume.upload() as upload:
        upload.accept([IncomingFile("p", len(content), content.hex(), content)])
        return submission.submit(volume, "c", "a", "ada", upload, key=key, after=after)


def there(volume: Volume) -> list[Timestamp]:
    return [found.timestamp for found in submission.submissions_by(volume, "c", "a", "ada")]


@pytest.fixture
def clocks_that_jump(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of servers whose clocks differ, and are set forward and back."""
    source, guard = random.Random(5), threading.Lock()

    def now() -> Timestamp:
        with guard:
            seconds = source.choice((-HOUR, -1, 0, 0, 1, HOUR))
        return timestamp.of(datetime.now(timezone.utc) + timedelta(seconds=seconds))

    monkeypatch.setattr(timestamp, "now", now)


@pytest.mark.usefixtures("clocks_that_jump")
@pytest.mark.parametrize("seed", range(rounds(8)))
def test_repetitions_on_many_servers_at_once_make_one_submission(servers: list[Volume], seed: int) -> None:
    """A client knows what is there, or what was there some time ago, and tries again before an attempt has ended."""
    source = random.Random(seed)
    made: dict[str, Timestamp] = {}
    noted: dict[str, Timestamp | None] = {}
    with ThreadPoolExecutor(ATTEMPTS_AT_ONCE) as clients:
        for number in range(SUBMISSIONS):
            known = there(servers[0])
            noted[f"k{number}"] = source.choice([*known[-3:], None]) if known else None
            if known and source.random() < 0.2:
                deleted = source.choice(known[-3:])
                submission.delete(servers[0], "c", "a", "ada", deleted, "kevin")
                for key in [key for key, moment in made.items() if moment == deleted]:
                    del made[key], noted[key]
            attempts = [(f"k{number}", volume) for volume in source.choices(servers, k=source.randint(1, 4))]
            attempts += [(key, source.choice(servers)) for key in source.sample(sorted(made), min(len(made), 2))]
            source.shuffle(attempts)
            asked = [(key, clients.submit(hand_in, volume, key, noted[key])) for key, volume in attempts]
            for key, answer in asked:
                assert answer.result() == made.setdefault(key, answer.result()), key
    assert there(servers[1]) == sorted(made.values())
    assert len(set(made.values())) == len(made)


def test_a_first_attempt_that_comes_last_finds_its_repetition(
    servers: list[Volume], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, fast, other = servers
    earlier = hand_in(other, "earlier", None)
    is_staged, may_publish = threading.Event(), threading.Event()
    hold = slow.locks.hold

    def after_a_while(*scope: str) -> AbstractContextManager[None]:
        is_staged.set()
        assert may_publish.wait(SECONDS)
        return hold(*scope)

    monkeypatch.setattr(slow.locks, "hold", after_a_while)
    with ThreadPoolExecutor(1) as clients:
        first = clients.submit(hand_in, slow, "k", earlier)
        assert is_staged.wait(SECONDS)
        repetition = hand_in(fast, "k", earlier)
        may_publish.set()
        assert first.result() == repetition
    assert there(other) == [earlier, repetition]


def test_only_what_may_have_the_key_is_read(servers: list[Volume], monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [hand_in(servers[0], f"k{number}", None) for number in range(10)]
    read: list[str] = []
    understood: list[str] = []

    def noted(path: str, key: str) -> bool:
        read.append(path)
        return may_have_key(path, key)

    def also_noted(manifests: Manifests, path: str) -> Manifest:
        understood.append(path)
        return manifest_at(manifests, path)

    monkeypatch.setattr(dated_tree, "may_have_key", noted)
    monkeypatch.setattr(dated_tree, "manifest_at", also_noted)
    newest = hand_in(servers[0], "new", moments[-1])
    assert len(read) == 1
    assert not understood
    assert hand_in(servers[0], "new", moments[-1]) == newest
    assert len(read) == 2
    assert understood == read[1:]
    read.clear()
    assert hand_in(servers[0], "k3", moments[2]) == moments[3]
    assert len(read) == 8
    read.clear()
    hand_in(servers[0], "without", None)
    assert len(read) == 11
    assert len(understood) == 2


def test_a_key_that_somebody_wrote_in_another_way_is_found(servers: list[Volume]) -> None:
    moment = hand_in(servers[0], "k3", None)
    manifest = Path(layout.submission(servers[0].root, "c", "a", "ada", moment), layout.MANIFEST)
    content = manifest.read_text()
    assert "key: k3" in content
    for written in (r'key: "\x6b3"', "'key': 'k3'", "key: k3 # by hand"):
        manifest.write_text(content.replace("key: k3", written))
        assert hand_in(servers[1], "k3", None) == moment


def test_where_nobody_knows_what_came_later_all_is_searched(servers: list[Volume]) -> None:
    volume = servers[0]
    with volume.upload() as upload:  # as by a server whose clock was far ahead
        upload.accept([])
        known = submission.submit(volume, "c", "a", "ada", upload, at=Timestamp("2999-01-01 00:00:00.000000 UTC"))
    before_deletion = hand_in(volume, "k1", known)
    assert before_deletion > known
    assert hand_in(volume, "k1", Timestamp(TIME_OF_NO_SUBMISSION)) == before_deletion
    submission.delete(volume, "c", "a", "ada", before_deletion, "kevin")
    submission.delete(volume, "c", "a", "ada", known, "kevin")
    moment = hand_in(volume, "k", known)
    assert moment < known
    assert hand_in(volume, "k", known) == moment
    with pytest.raises(KeyUsed):
        hand_in(volume, "k", known, b"other files")
    assert there(volume) == [moment]


def test_the_timestamp_of_what_was_deleted_may_be_given_again(servers: list[Volume]) -> None:
    """Clocks that were set back give one microsecond after the other: what a client knew is then what it hands in."""
    moment = hand_in(servers[0], "k", None)
    assert hand_in(servers[0], "k", moment) == moment


async def test_a_list_of_files_says_when_one_has_handed_in(taught: Exchange) -> None:
    async def said(user: str, **fields: str) -> object:
        answer = await taught.call("GET", "assignment/c/a", user, **fields)
        assert answer.status == 200
        return answer.body.get("newest_submission", "nothing")

    assert await said("lawrence", list_only="true") is None
    moment = await handed_in(taught, key="k")
    assert await said("lawrence", list_only="true") == moment
    assert await said("kevin", list_only="true") is None
    assert await said("lawrence") == await said("lawrence", list_only="false") == "nothing"
    assert await handed_in(taught, key="k2", after=moment) > moment


async def handed_in(exchange: Exchange, **fields: str) -> str:
    answer = await exchange.call("POST", "submission/c/a", "lawrence", files=WORK, **fields)
    assert answer.status == 200
    return str(answer.body["timestamp"])


async def test_the_time_is_understood_as_everywhere_in_the_api(taught: Exchange) -> None:
    first = await handed_in(taught, key="k")
    for after in ("", "  ", first, first.removesuffix(" UTC"), f" {first} ", TIME_OF_NO_SUBMISSION):
        again = await handed_in(taught, key="k2", after=after)
        assert again == await handed_in(taught, key="k2", after=after)
    answer = await taught.call("GET", "submissions/c/a/lawrence", "lawrence")
    assert [entry["timestamp"] for entry in answer.body["submissions"]] == [first, again]


@pytest.mark.parametrize("after", ["yesterday", "2020-01-01", "2020-13-01 00:00:00.000001 UTC", "none", "\0"])
@pytest.mark.parametrize("key", ["k", None])
async def test_a_malformed_time_is_refused(taught: Exchange, after: str, key: str | None) -> None:
    fields = {"after": after} if key is None else {"after": after, "key": key}
    answer = await taught.call("POST", "submission/c/a", "lawrence", files=WORK, **fields)
    assert (answer.status, answer.message) == (400, "Time format incorrect")
    assert (await taught.call("GET", "submissions/c/a/lawrence", "lawrence")).body["submissions"] == []
