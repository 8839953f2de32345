"""Managing an assignment in a browser: taken back and undone, deleted, and what is shown of it."""

from pathlib import Path

from ngshare_fs.store import assignment, course, release
from tests.conftest import Exchange
from tests.pages.browsing import Browser, browser, document, links, words
from tests.pages.sending import NAMES, followed, journal_of, send
from tests.rounds import rounds
from tests.trees import contents
from tests.volumes import HOSTILE_NAMES

__all__ = ["browser"]

MANAGE = "pages/manage/{course}/{assignment}"
TAKE_BACK = "pages/take-back/{course}/{assignment}"
DELETE = "pages/delete-assignment/{course}/{assignment}"


async def test_what_is_taken_back_is_released_again_with_the_same_files(browser: Browser) -> None:
    exchange = browser.exchange
    asked = await browser.look(TAKE_BACK, "kevin", NAMES)
    assert "2 students have handed in; that stays" in words(asked.text)
    assert release.is_open(exchange.volume, "c", "a")
    taken = await followed(exchange, await send(exchange, TAKE_BACK, "kevin", form="withdraw"))
    assert "Taken back: students do not see it any more." in words(taken.text)
    assert not release.is_open(exchange.volume, "c", "a")
    assert "It is taken back already." in words((await browser.look(TAKE_BACK, "kevin", NAMES)).text)
    assert not [link for link in links(taken.text) if "take-back/" in link]
    again = await followed(exchange, await send(exchange, MANAGE, "kevin", form="again"))
    assert "Released again" in words(again.text)
    answer = await exchange.call("GET", "assignment/c/a", "other student")
    assert contents(answer.body) == {"p.ipynb": b"{}\n"}
    assert (await browser.look("pages/assignment/{course}/{assignment}", "other student", NAMES)).status == 200
    rows = words(again.text)
    assert rows.count("released kevin 1 file") == 2
    assert rows.count("taken back kevin") == 1
    assert [(each.what, each.by) for each in journal_of(exchange)] == [("withdraw", "kevin"), ("release", "kevin")]
    assert not exchange.left_in_staging()


async def test_what_is_done_twice_is_done_once(browser: Browser) -> None:
    exchange = browser.exchange
    for _ in range(2):
        assert (await send(exchange, TAKE_BACK, "kevin", form="withdraw")).status == 303
    for _ in range(2):
        assert (await send(exchange, MANAGE, "kevin", form="again")).status == 303
    assert len(release.history(exchange.volume, "c", "a")) == 3
    assert [each.what for each in journal_of(exchange)] == ["withdraw", "release"]


async def test_files_that_are_damaged_are_not_released_again(browser: Browser) -> None:
    exchange = browser.exchange
    assert (await send(exchange, TAKE_BACK, "kevin", form="withdraw")).status == 303
    (file,) = Path(exchange.data).glob("courses/c/assignments/a/releases/*/files/p.ipynb")
    file.write_bytes(b"something else")
    seen = await send(exchange, MANAGE, "kevin", None, True, form="again")
    assert (seen.status, "Die gespeicherten Dateien sind beschädigt" in words(seen.text)) == (500, True)
    assert not release.is_open(exchange.volume, "c", "a")
    assert not exchange.left_in_staging()


async def test_an_assignment_is_deleted_by_typing_its_name(browser: Browser) -> None:
    exchange = browser.exchange
    asked = await browser.look(DELETE, "kevin", NAMES)
    assert "This moves 2 submissions of 2 students to the trash" in words(asked.text)
    for german, said in ((False, "This is not the name of the assignment."), (True, "So heißt die Aufgabe nicht.")):
        for name in ("A", "a b", "c"):
            seen = await send(exchange, DELETE, "kevin", None, german, form="delete", name=name)
            assert (seen.status, words(seen.text).count(said)) == (400, 2)
    assert (await send(exchange, DELETE, "kevin", form="delete")).status == 400
    assert assignment.exists(exchange.volume, "c", "a")
    gone = await followed(exchange, await send(exchange, DELETE, "kevin", form="delete", name=" a "))
    assert "The assignment is in the trash" in words(gone.text)
    assert not assignment.exists(exchange.volume, "c", "a")
    assert [each.what for each in journal_of(exchange)] == ["delete-assignment"]
    assert (await send(exchange, DELETE, "kevin", form="delete", name="a")).status == 404


async def test_a_broken_file_of_dates_is_named_and_left_as_it_is(browser: Browser) -> None:
    file = Path(browser.exchange.data) / "courses/c/assignments/a/assignment.yaml"
    file.write_text("due: tomorrow\n")
    for path in (MANAGE, "pages/dates/{course}/{assignment}", "pages/extensions/{course}/{assignment}"):
        seen = await browser.look(path, "kevin", NAMES)
        assert seen.status == 200
        assert "courses/c/assignments/a/assignment.yaml, line 1" in words(seen.text)
    for path, fields in (
        ("pages/dates/{course}/{assignment}", {"due": "2036-11-15"}),
        ("pages/extensions/{course}/{assignment}", {"people": "lawrence", "until": "2036-11-15"}),
    ):
        for form in ("look", "save" if "dates" in path else "give"):
            seen = await send(browser.exchange, path, "kevin", form=form, seen="x", **fields)
            assert (seen.status, "Course data cannot be read" in words(seen.text)) == (503, True)
    assert file.read_text() == "due: tomorrow\n"


async def test_damaged_releases_are_shown_as_such(browser: Browser) -> None:
    (manifest,) = Path(browser.exchange.data).glob("courses/c/assignments/a/releases/*/manifest.yaml")
    manifest.write_text("kind: [\n")
    seen = await browser.look(MANAGE, "kevin", NAMES)
    assert (seen.status, "cannot be read" in words(seen.text)) == (200, True)


async def test_pages_of_hostile_names_are_reached_by_their_links(exchange: Exchange) -> None:
    browser, volume = Browser(exchange), exchange.volume
    hostile = ['"><script>x</script>', *(each for each in HOSTILE_NAMES if "\0" not in each)]
    for name in hostile[: rounds(len(hostile))]:
        course.create(volume, name, ["kevin"])
        with volume.upload() as nothing:
            release.release(volume, name, name, "kevin", nothing)
        names = {"course": name, "assignment": name}
        shown = await browser.look("pages/assignment/{course}/{assignment}", "kevin", names)
        (to_manage,) = [link for link in links(shown.text) if "pages/manage/" in link]
        manage = await browser.follow(to_manage)
        assert manage.status == 200
        led_to = {link for link in links(manage.text) if "pages/" in link}
        assert len(led_to) >= 7
        for link in led_to:
            seen = await browser.follow(link)
            assert seen.status == 200, link
            scripts = [attributes for tag, attributes in document(seen.text).elements if tag == "script"]
            assert all(str(attributes.get("src")).startswith("/api/static/") for attributes in scripts)
        assert (await send(exchange, TAKE_BACK, "kevin", names, form="withdraw")).status == 303
        assert (await send(exchange, DELETE, "kevin", names, form="delete", name=name)).status == 303
        assert not assignment.exists(volume, name, name)
