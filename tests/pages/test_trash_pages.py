"""What lies in the trash: who sees what of it, what comes back, what stands in its way, and what goes for good."""

import os
import shutil
from pathlib import Path

from ngshare_fs.store import Volume, assignment, course, release, submission
from ngshare_fs.store.format.names import folder_of
from ngshare_fs.store.journal import Entry, search
from ngshare_fs.store.upkeep import figures, last_count
from ngshare_fs.store.writing.locks import if_abandoned
from tests.conftest import Exchange, MakeExchange
from tests.pages.browsing import Browser, browser, document, foreign_scripts, links, send, something_deleted, words
from tests.pages.test_hostile_names import NAMES as HOSTILE
from tests.stores import upload
from tests.trees import tree
from tests.verifying import codes

__all__ = ["browser"]

TRASH, RESTORE = "pages/trash/{course}", "pages/restore/{course}"
C = {"course": "c"}
# What the time of a submission is made into would be a path that leads out of its folder.
LEADS_OUT = b"""\
kind: submission
course: c
assignment: a
student: lawrence
submission: ../../../../x
by: kevin
timestamp: 2026-01-01 00:00:00.000000 UTC
"""
QUARANTINE = b"kind: quarantine\nby: <b>\ntimestamp: x\npath: courses/c/<b>\nfinding: stray\n"


def entries(exchange: Exchange) -> list[str]:
    return sorted(path.name for path in (exchange.data / "trash").iterdir())


def restored(exchange: Exchange) -> list[tuple[str, str, str, str]]:
    found = [
        each.event for each in search.found(exchange.volume, search.Wanted(what="restore")) if isinstance(each, Entry)
    ]
    return [(each.by, each.via, each.course, each.assignment) for each in found]


def to_restore(text: str) -> list[str]:
    return [link for link in links(text) if "/restore/" in link or "/admin-restore" in link]


async def test_an_instructor_brings_back_what_was_deleted(browser: Browser) -> None:
    exchange = browser.exchange
    entry = await something_deleted(browser)
    with last_count.counting(exchange.volume):
        last_count.leave(exchange.volume, figures.collect(exchange.volume, lambda: None))
    seen = await browser.look(TRASH, "kevin", C)
    shown = words(seen.text)
    assert "Assignment: c / old" in shown
    assert "It stays for 90 days" in shown
    assert "kevin" in shown
    assert "not counted yet" not in shown
    [link] = to_restore(seen.text)
    asked = await browser.follow(link)
    assert "It goes back to its place, whole and at once." in words(asked.text)
    assert not assignment.exists(exchange.volume, "c", "old")
    status, location, _ = await send(exchange, RESTORE, "kevin", C, f"&entry={entry}", form="restore", new_name="")
    assert (status, location) == (303, "/api/pages/trash/c?user=kevin&done=restored")
    assert assignment.exists(exchange.volume, "c", "old")
    assert restored(exchange) == [("kevin", "page", "c", "old")]
    assert "There is nothing." in words((await browser.follow(location)).text)
    # Once more finds nothing there.
    assert (await send(exchange, RESTORE, "kevin", C, f"&entry={entry}", form="restore"))[0] == 404


async def test_a_submission_comes_back_to_its_time(browser: Browser) -> None:
    exchange = browser.exchange
    [handed_in] = submission.submissions_by(exchange.volume, "c", "a", "lawrence")
    answer = await exchange.call("DELETE", "submission/c/a/lawrence", "kevin", timestamp=handed_in.timestamp)
    assert answer.status == 200
    [entry] = entries(exchange)
    asked = await browser.look(RESTORE, "kevin", C, entry=entry)
    assert "new_name" not in [each.get("name") for _, each in document(asked.text).elements]
    status, _, text = await send(exchange, RESTORE, "kevin", C, f"&entry={entry}", form="restore", new_name="x")
    assert (status, "no other name than its time" in text) == (400, True)
    assert (await send(exchange, RESTORE, "kevin", C, f"&entry={entry}", form="restore"))[0] == 303
    assert submission.submissions_by(exchange.volume, "c", "a", "lawrence") == [handed_in]


async def test_what_is_in_the_way_is_said_with_a_name_that_is_free(browser: Browser) -> None:
    exchange = browser.exchange
    entry = await something_deleted(browser)
    assert (await exchange.call("POST", "assignment/c/old", "kevin", files=tree({"f": b"1"}))).status == 200
    asked = await browser.look(RESTORE, "kevin", C, german=True, entry=entry)
    assert "An seinem Platz ist inzwischen etwas anderes." in words(asked.text)
    [field] = [each for _, each in document(asked.text).elements if each.get("name") == "new_name"]
    assert field["value"] == "old (restored)"
    for name, problem in (("", "Something is at its place"), ("a", "Something is at its place"), ("x" * 300, "")):
        status, _, text = await send(exchange, RESTORE, "kevin", C, f"&entry={entry}", form="restore", new_name=name)
        assert (status, problem in text) == (400, True), name
        assert "Nothing was changed" in text
    status, location, _ = await send(
        exchange, RESTORE, "kevin", C, f"&entry={entry}", form="restore", new_name="old (restored)"
    )
    assert (status, location.partition("done=")[2]) == (303, "restored")
    assert assignment.exists(exchange.volume, "c", "old (restored)")


async def test_what_it_belongs_to_is_gone(browser: Browser) -> None:
    exchange = browser.exchange
    entry = await something_deleted(browser)
    course.delete(exchange.volume, "c", by="root")
    asked = await browser.look("pages/admin-restore", "root", entry=entry)
    assert "What it belongs to is not there any more." in words(asked.text)
    assert not [tag for tag, each in document(asked.text).elements if each.get("method") == "post"]
    status, _, text = await send(exchange, "pages/admin-restore", "root", None, f"&entry={entry}", form="restore")
    assert (status, "not there any more" in text) == (400, True)
    of_course = entries(exchange)[-1]
    status, location, _ = await send(
        exchange, "pages/admin-restore", "root", None, f"&entry={of_course}", form="restore"
    )
    assert (status, location) == (303, "/api/pages/admin-trash?user=root&done=restored")
    assert course.exists(exchange.volume, "c")


async def test_nobody_sees_what_was_an_earlier_course_of_the_same_name(browser: Browser) -> None:
    exchange = browser.exchange
    entry = await something_deleted(browser)
    course.delete(exchange.volume, "c", by="root")
    course.create(exchange.volume, "c", ["mallory"])
    assert not to_restore((await browser.look(TRASH, "mallory", C)).text)
    assert (await browser.look(RESTORE, "mallory", C, entry=entry)).status == 404
    status, _, _ = await send(exchange, RESTORE, "mallory", C, f"&entry={entry}", form="restore", new_name="x")
    assert status == 404
    assert entry in entries(exchange)


async def test_what_was_deleted_goes_with_a_course_that_is_restored_by_another_name(browser: Browser) -> None:
    exchange = browser.exchange
    entry = await something_deleted(browser)
    course.delete(exchange.volume, "c", by="root")
    of_course = entries(exchange)[-1]
    course.create(exchange.volume, "c", ["mallory"])
    status, _, _ = await send(
        exchange, "pages/admin-restore", "root", None, f"&entry={of_course}", form="restore", new_name="d"
    )
    assert status == 303
    assert entries(exchange) == [entry]
    assert not to_restore((await browser.look(TRASH, "mallory", C)).text)
    [link] = to_restore((await browser.look(TRASH, "kevin", {"course": "d"})).text)
    assert entry in link


async def test_nobody_brings_back_what_is_of_another_course(browser: Browser) -> None:
    exchange = browser.exchange
    entry = await something_deleted(browser)
    course.create(exchange.volume, "mine", ["mallory"])
    for name in (entry, entry[:20], "", "..", "../trash", f"{entry}/", "\x00"):
        seen = await browser.look(RESTORE, "mallory", {"course": "mine"}, entry=name)
        assert seen.status == 404, name
    for user in ("tara", "lawrence", "stranger"):
        assert (await send(exchange, RESTORE, user, C, f"&entry={entry}", form="restore"))[0] == 403
    assert entries(exchange) == [entry]


async def test_hostile_names_come_back_from_the_trash_by_the_pages_own_links(exchange: Exchange) -> None:
    browser = Browser(exchange)
    volume = exchange.volume
    for name in HOSTILE:
        course.create(volume, name, ["kevin"])
        with upload(volume, f=b"1") as files:
            release.release(volume, name, name, "kevin", files)
        assignment.delete(volume, name, name, by="<i>kevin")
    shown = await browser.look("pages/admin-trash", "root")
    assert "<i>" not in shown.text
    assert len(to_restore(shown.text)) == len(HOSTILE)
    for name in HOSTILE:
        [link] = to_restore((await browser.look(TRASH, "kevin", {"course": name})).text)
        asked = await browser.follow(link)
        assert asked.status == 200, name
        assert not foreign_scripts(asked.text)
        [entry] = [each.partition("entry=")[2] for each in [link]]
        status, _, _ = await send(exchange, RESTORE, "kevin", {"course": name}, f"&entry={entry}", form="restore")
        assert status == 303, name
        assert assignment.exists(volume, name, name)


async def test_broken_entries_are_told_from_others(browser: Browser) -> None:
    exchange = browser.exchange
    entry = await something_deleted(browser)
    trash = exchange.data / "trash"
    odd = {
        "20260101T000000.000000Z-00000001": None,
        "20260101T000000.000000Z-00000002": b"kind: [\n",
        "20260101T000000.000000Z-00000003": b"kind: <script>\n",
        "20260101T000000.000000Z-00000004": QUARANTINE,
        "20260101T000000.000000Z-00000007": LEADS_OUT,
    }
    for name, record in odd.items():
        (trash / name / "something").mkdir(parents=True)
        if record is not None:
            (trash / name / "trash.yaml").write_bytes(record)
    (trash / "20260101T000000.000000Z-00000005").mkdir()
    (trash / "no entry").mkdir()
    (trash / "20260101T000000.000000Z-00000006").symlink_to("/etc")
    seen = await browser.look("pages/admin-trash", "root")
    shown = words(seen.text)
    assert seen.status == 200
    assert "<b>" not in seen.text
    assert shown.count("Nobody can say what it was") >= 3
    assert "Set aside by repair: courses/c/<b> / stray" in shown
    assert "Empty: the deletion was cut short" in shown
    assert entry in seen.text
    for name in odd:
        asked = await browser.look("pages/admin-restore", "root", entry=name)
        assert (asked.status, f"ngshare-fs trash restore {name}" in words(asked.text)) == (200, True), name
        status, _, text = await send(exchange, "pages/admin-restore", "root", None, f"&entry={name}", form="restore")
        assert (status, "somebody has to look into it" in text) == (400, True), name
    assert len(to_restore((await browser.look(TRASH, "kevin", C)).text)) == 1


async def test_the_table_is_long_and_can_be_of_one_course(exchange: Exchange) -> None:
    browser = Browser(exchange)
    for number in range(120):
        course.create(exchange.volume, f"c{number:03}")
        course.delete(exchange.volume, f"c{number:03}", by="root")
    first = (await browser.look("pages/admin-trash", "root")).text
    assert len(to_restore(first)) == 100
    assert "c119" in first
    assert "c019" not in first
    [link] = [each for each in links(first) if "part=2" in each]
    assert len(to_restore((await browser.follow(link)).text)) == 20
    one = (await browser.look("pages/admin-trash", "root", course="c007")).text
    assert len(to_restore(one)) == 1


async def test_what_is_old_goes_for_good_once_its_number_is_typed(browser: Browser) -> None:
    exchange = browser.exchange
    young = await something_deleted(browser)
    old = "20200101T000000.000000Z-00000001"
    shutil.copytree(exchange.data / "trash" / young, exchange.data / "trash" / old)
    path = "pages/admin-trash-empty"
    assert "1 thing was deleted at least 30 days ago" in words((await browser.look(path, "root")).text)
    assert "Nothing in the trash is 36500 days old." in words((await browser.look(path, "root", days=99999)).text)
    for typed in ("0", "2", "x", "one"):
        status, _, text = await send(exchange, path, "root", None, "&days=30", form="empty", typed_number=typed)
        assert (status, "That is not how many there are now." in text) == (400, True)
    assert entries(exchange) == [old, young]
    status, location, _ = await send(exchange, path, "root", None, "&days=30", form="empty", typed_number="1")
    assert (status, location) == (303, "/api/pages/admin-trash?user=root&done=emptied&count=1")
    assert entries(exchange) == [young]
    found = [
        each.event
        for each in search.found(exchange.volume, search.Wanted(what="empty-trash"))
        if isinstance(each, Entry)
    ]
    assert [(each.by, each.via, each.course, each.assignment) for each in found] == [("root", "page", "c", "old")]
    with if_abandoned(str(exchange.data / ".ngshare/locks/emptying.lock")):
        os.rename(exchange.data / "trash" / young, exchange.data / "trash" / old)
        status, _, text = await send(exchange, path, "root", None, "&days=30", form="empty", typed_number="1")
        assert (status, "Another process is emptying the trash" in text) == (400, True)


async def test_the_trash_may_be_kept_for_ever_and_be_missing(make_exchange: MakeExchange) -> None:
    exchange = await make_exchange(trash_days=0)
    browser = Browser(exchange)
    course.create(exchange.volume, "c", ["kevin"])
    (exchange.data / "trash").rmdir()
    for path, user in ((TRASH, "kevin"), ("pages/admin-trash", "root"), ("pages/admin-trash-empty", "root")):
        seen = await browser.look(path, user, C)
        assert seen.status == 200, path
    assert "until somebody empties the trash" in words((await browser.look(TRASH, "kevin", C)).text)


def test_what_was_deleted_follows_a_course_that_is_renamed(tmp_path: Path) -> None:
    from ngshare_fs.store.renaming.course_renaming import rename
    from ngshare_fs.store.upkeep import restoring
    from ngshare_fs.store.upkeep.trash_entries import deletions_in

    volume = Volume.open(tmp_path / "v")
    before = codes(tmp_path / "v")
    try:
        for new in ("later", "ä" * 200):
            course.create(volume, "c", ["kevin"])
            with upload(volume, f=b"1") as files:
                release.release(volume, "c", "a", "kevin", files)
            assignment.delete(volume, "c", "a", by="kevin")
            rename(volume, "c", new)
            # Whoever makes a course of the old name has nothing of this one.
            course.create(volume, "c", ["mallory"])
            assert not deletions_in(volume, "c")
            assert codes(tmp_path / "v") == before
            [entry] = deletions_in(volume, new)
            restoring.restore(volume, restoring.plan(volume, entry))
            assert assignment.exists(volume, new, "a")
            assert folder_of(new) in os.listdir(tmp_path / "v/courses")
            course.delete(volume, "c", by="root")
    finally:
        volume.close()
