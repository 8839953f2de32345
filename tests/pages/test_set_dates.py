"""The dates of an assignment as fields: what a change would do is said, and made only if it still would."""

from datetime import datetime, timezone
from pathlib import Path

import pytest

from ngshare_fs.formats.civil_time import moment_in
from ngshare_fs.store import Extension, dates, extensions, roster, submission, timestamp_of
from tests.conftest import Exchange
from tests.pages.browsing import Browser, browser, words
from tests.pages.sending import NAMES, fields_of, followed, journal_of, send
from tests.stores import upload

__all__ = ["browser"]

DATES = "pages/dates/{course}/{assignment}"


def written(exchange: Exchange) -> dict[str, str]:
    file = dates.written(exchange.volume, "c", "a")
    return {name: str(getattr(file, name)) for name in ("release", "due", "close") if getattr(file, name)}


async def test_dates_are_set_after_a_look_at_what_they_change(browser: Browser) -> None:
    exchange = browser.exchange
    course = Path(exchange.data, "courses/c/course.yaml")
    course.write_text(course.read_text() + "timezone: Europe/Vienna\n")
    sent = {"due": "2026-11-15", "close": "2026-11-17 12:00 UTC", "grace": "90s"}
    asked = await send(exchange, DATES, "kevin", form="look", **sent)
    assert asked.status == 200
    said = words(asked.text)
    assert "Due none 2026-11-15 23:59:59 Europe/Vienna" in said
    assert "Closes none 2026-11-17 12:00:00 UTC" in said
    assert "Grace none 1m30s" in said
    assert not written(exchange)
    done = await followed(exchange, await send(exchange, DATES, "kevin", **fields_of(asked.text, "save")))
    assert "The dates are set." in words(done.text)
    assert written(exchange) == {"due": "2026-11-15 23:59:59 Europe/Vienna", "close": "2026-11-17 12:00:00 UTC"}
    (event,) = journal_of(exchange)
    assert (event.what, event.by, event.assignment) == ("set-dates", "kevin", "a")
    assert event.detail == (
        "release: none, due: 2026-11-15 23:59:59 Europe/Vienna, close: 2026-11-17 12:00:00 UTC, grace: 1m30s"
    )
    form = await browser.look(DATES, "kevin", NAMES)
    assert 'value="2026-11-15 23:59:59 Europe/Vienna"' in form.text
    same = await send(exchange, DATES, "kevin", form="look", **sent)
    assert "there is nothing to change" in words(same.text)
    removed = await send(exchange, DATES, "kevin", form="look")
    assert "Due 2026-11-15 23:59:59 Europe/Vienna none" in words(removed.text)
    assert (await send(exchange, DATES, "kevin", **fields_of(removed.text, "save"))).status == 303
    assert not written(exchange)


async def test_what_becomes_late_and_who_has_no_more_time_is_said_before(browser: Browser) -> None:
    exchange, volume = browser.exchange, browser.exchange.volume
    for day in (1, 2, 3):
        with upload(volume, f=b"1") as files:
            at = timestamp_of(datetime(2020, 1, day, tzinfo=timezone.utc))
            submission.submit(volume, "c", "a", "ada", files, at=at)
    dates.change(volume, "c", "a", {"due": moment_in("2020-01-02 12:00 UTC")})
    extensions.extend(volume, "c", "a", "eve", Extension(due=moment_in("2020-01-03 UTC")))
    asked = await send(exchange, DATES, "kevin", form="look", due="2020-01-01 12:00")
    assert "Submissions that become late: 1 (students: 1)" in words(asked.text)
    asked = await send(exchange, DATES, "kevin", None, True, form="look", due="2020-01-03 00:00")
    said = words(asked.text)
    assert "Abgaben, die dann rechtzeitig sind: 1 (Personen: 1)" in said
    assert "2020-01-03 00:00:00 UTC ist der Beginn dieses Tages; sein Ende ist 2020-01-03" in said
    assert "Die Frist ist vorbei" in said
    asked = await send(
        exchange, DATES, "kevin", form="look", due="2020-02-01", close="2020-03-01", release="2019-01-01"
    )
    said = words(asked.text)
    assert "These have no more time by their extensions than everybody: eve" in said
    assert "It is closed: only whoever has an extension beyond that hands in." in said
    asked = await send(exchange, DATES, "kevin", form="look", release="2090-01-01", due="2091-01-01")
    assert "Students do not see the assignment before its release." in words(asked.text)


@pytest.mark.parametrize(
    ("field", "text", "english", "german"),
    [
        ("due", "31.12.2026", "is no date and time such as", "ist kein Zeitpunkt wie"),
        ("due", "2026-02-30", "there is no 2026-02-30 23:59:59 in the calendar", "im Kalender gibt es 2026-02-30"),
        ("close", "2026-11-15 CEST", "is no time zone such as", "ist keine Zeitzone wie"),
        ("close", "2026-11-15 Europe/Vienn", "did you mean Europe/Vienna?", "ist Europe/Vienna gemeint?"),
        ("release", "2026-03-29 02:30 Europe/Vienna", "set forward past 02:30:00", "vorgestellt"),
        ("release", "1815-01-01", "the year has to be one from 1970", "das Jahr muss eines von 1970"),
        ("grace", "soon", "is not a duration such as", "ist keine Dauer wie"),
        ("grace", "9999999d", "is more than 36500 days", "ist mehr als 36500 Tage"),
        ("due", "x" * 101, "This is too long.", "Das ist zu lang."),
        ("due", "<script>\u202e", "is no date and time such as", "ist kein Zeitpunkt wie"),
    ],
)
async def test_what_cannot_be_is_said_beside_its_field(
    browser: Browser, field: str, text: str, english: str, german: str
) -> None:
    for form in ("look", "save"):
        for is_german, said in ((False, english), (True, german)):
            sent = {"form": form, "seen": "x", field: text}
            seen = await send(browser.exchange, DATES, "kevin", None, is_german, **sent)
            assert seen.status == 400
            assert words(seen.text).count(said) == 2, words(seen.text)
            assert f'aria-describedby="wrong-{field} ' in seen.text
            assert "<script>" not in seen.text
    assert not written(browser.exchange)


async def test_dates_out_of_order_and_extensions_of_nothing_are_refused(browser: Browser) -> None:
    exchange = browser.exchange
    for german, said in ((False, "have to follow one another"), (True, "müssen aufeinander folgen")):
        for form in ("look", "save"):
            sent = {"form": form, "due": "2026-11-15", "close": "2026-11-14", "seen": "x"}
            seen = await send(exchange, DATES, "kevin", None, german, **sent)
            assert (seen.status in (400, 200), said in words(seen.text)) == (True, True)
    dates.change(exchange.volume, "c", "a", {"due": moment_in("2026-11-15 UTC")})
    extensions.extend(exchange.volume, "c", "a", "<b>", Extension(due=moment_in("2026-11-16 UTC")))
    seen = await send(exchange, DATES, "kevin", None, True, form="look")
    assert "<bdi>&lt;b&gt;</bdi> hat eine Verlängerung der Frist" in seen.text
    assert written(exchange) == {"due": "2026-11-15 23:59:59 UTC"}


async def test_what_was_changed_meanwhile_is_shown_before_anything_is_done(browser: Browser) -> None:
    exchange = browser.exchange
    asked = await send(exchange, DATES, "kevin", form="look", due="2036-11-15")
    dates.change(exchange.volume, "c", "a", {"close": moment_in("2036-12-01 UTC")})
    again = await send(exchange, DATES, "kevin", **fields_of(asked.text, "save"))
    assert again.status == 200
    assert "Somebody has changed this meanwhile, and nothing was done" in words(again.text)
    assert "Closes 2036-12-01 23:59:59 UTC none" in words(again.text)
    assert written(exchange) == {"close": "2036-12-01 23:59:59 UTC"}
    # What others do beside it does not matter.
    extensions.extend(exchange.volume, "c", "a", "ada", Extension(close=moment_in("2036-12-02 UTC")))
    fields = {**fields_of(again.text, "save"), "close": "2036-12-01 UTC"}
    assert (await send(exchange, DATES, "kevin", **fields)).status == 303
    assert written(exchange) == {"due": "2036-11-15 23:59:59 UTC", "close": "2036-12-01 23:59:59 UTC"}
    assert dates.written(exchange.volume, "c", "a").extensions.keys() == {"ada"}
    assert roster.of(exchange.volume, "c")
