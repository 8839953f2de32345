"""Every form with which a course is managed: for whom it is, from where it may come, and what fails under it."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest
from yarl import URL

from ngshare_fs.formats.civil_time import moment_in
from ngshare_fs.store import Extension, Person, Volume, course, extensions, release, roster
from ngshare_fs.store.format import layout
from ngshare_fs.store.writing.locks import Locks
from ngshare_fs.web.frame.addresses import Addresses
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.table import PAGES
from tests.conftest import Exchange
from tests.durability.disks import unmounted_at_the_end
from tests.durability.states import state_of
from tests.fallible_hub import user
from tests.pages.browsing import WITH_GERMAN, Seen, words
from tests.pages.sending import fields_of
from tests.signing_in import PREFIX, Service, page_of, service, sign_in, xsrf_in
from tests.stores import upload
from tests.test_lost_locks import at_the_last_look

__all__ = ["service"]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
# With their pages a course is managed.
ROOMS = ("ngshare_fs.web.instructor.assignment.", "ngshare_fs.web.instructor.roster.")
NAMES = {"course": "c", "assignment": "a", "user": "lawrence"}


@dataclass(frozen=True)
class Trial:
    """A form with what would be done by it.

    Args:
        path: of its page.
        form: its name.
        fields: what is written into it.
        asked_by: the form whose answer has its hidden fields, where one asks before.
        query: parameters of the page.
    """

    path: str
    form: str
    fields: dict[str, str] = field(default_factory=dict)
    asked_by: str = ""
    query: str = ""


DATES = {"release": "", "due": "2036-11-20", "close": "", "grace": ""}
MORE = {"people": "ada", "until": "2036-12-01", "close": "", "reason": "ill"}
TRIALS = (
    Trial("pages/manage/{course}/{assignment}", "again"),
    Trial("pages/take-back/{course}/{assignment}", "withdraw"),
    Trial("pages/delete-assignment/{course}/{assignment}", "delete", {"name": "a"}),
    Trial("pages/dates/{course}/{assignment}", "save", DATES, "look"),
    Trial("pages/extensions/{course}/{assignment}", "give", MORE, "look"),
    Trial("pages/take-back-extension/{course}/{assignment}/{user}", "withdraw"),
    Trial("pages/roster-entry/{course}", "save", {"member": "new", "role": "student"}),
    Trial("pages/roster-change/{course}", "change", {"people": "new\nada", "complete": "yes"}, "look"),
    Trial("pages/roster-remove/{course}", "remove", query="member=ada"),
)
each_form = pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: f"{trial.path.split('/')[1]}-{trial.form}")


def fill(volume: Volume, trial: Trial) -> None:
    """A course in which each form has something to do."""
    course.create(volume, "c", ["kevin"])
    roster.set_grader(volume, "c", "tara", Person())
    roster.set_students(volume, "c", [(name, Person()) for name in ("lawrence", "ada")])
    with upload(volume, f=b"1") as files:
        release.release(volume, "c", "a", "kevin", files, changes={"due": moment_in("2036-11-15 UTC")})
    extensions.extend(volume, "c", "a", "lawrence", Extension(due=moment_in("2036-11-16 UTC")))
    if trial.form == "again":
        release.withdraw(volume, "c", "a", "kevin")


def address(trial: Trial, prefix: str, asking: str | None) -> str:
    """Where the form is sent to."""
    names = {key: name for key, name in NAMES.items() if "{" + key + "}" in trial.path}
    found = Addresses(prefix, asking)(trial.path, names)
    return found + (("&" if "?" in found else "?") + trial.query if trial.query else "")


async def send(exchange: Exchange, trial: Trial, asking: str, german: bool = False, /, **more: str) -> Seen:
    answer = await exchange.client.post(
        URL(address(trial, "/api/", asking), encoded=True),
        data=urlencode({"form": trial.form, **trial.fields, **more}).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded", **(WITH_GERMAN if german else {})},
        allow_redirects=False,
    )
    return Seen(answer.status, await answer.text(), answer.headers)


async def asked(exchange: Exchange, trial: Trial) -> dict[str, str]:
    """The hidden fields with which the form is confirmed."""
    if not trial.asked_by:
        return {}
    seen = await send(exchange, Trial(trial.path, trial.asked_by, trial.fields), "kevin")
    assert seen.status == 200
    return fields_of(seen.text, trial.form)


def forms_of(page: Page) -> set[tuple[str, str]]:
    return {(page.path, form.name) for form in page.forms}


def test_every_form_that_changes_something_is_tried() -> None:
    declared = {pair for page in PAGES if page.read.__module__.startswith(ROOMS) for pair in forms_of(page)}
    looks = {(path, name) for path, name in declared if name == "look" or path == "pages/release/{course}"}
    assert declared - looks == {(trial.path, trial.form) for trial in TRIALS}


@each_form
async def test_a_form_is_for_instructors_alone(exchange: Exchange, trial: Trial) -> None:
    fill(exchange.volume, trial)
    hidden = await asked(exchange, trial)
    before = state_of(Path(exchange.data))
    for role in ("tara", "lawrence", "stranger"):
        seen = await send(exchange, trial, role, **hidden)
        assert (seen.status, "Permission denied" in words(seen.text)) == (403, True), role
    assert state_of(Path(exchange.data)) == before
    assert (await send(exchange, trial, "kevin", **hidden)).status == 303
    assert state_of(Path(exchange.data)) != before


@pytest.mark.parametrize("trial", [each for each in TRIALS if each.asked_by], ids=lambda trial: trial.path)
async def test_what_was_not_shown_is_shown_first(exchange: Exchange, trial: Trial) -> None:
    fill(exchange.volume, trial)
    before = state_of(Path(exchange.data))
    for seen in ("", "x"):
        shown = await send(exchange, trial, "kevin", seen=seen)
        assert (shown.status, "nothing was done" in words(shown.text)) == (200, True)
    assert (await send(exchange, trial, "kevin", seen="x" * 65)).status == 400
    assert state_of(Path(exchange.data)) == before


@pytest.fixture
async def signed_in(service: Service) -> tuple[Service, str, str]:
    """The service of a hub, the session of its instructor and what their pages send along."""
    service.hub.owners["page"] = user("kevin", "access:services")
    cookie = (await sign_in(service)).partition(";")[0]
    return service, cookie, xsrf_in(await page_of(service, cookie))


@each_form
async def test_a_form_comes_from_our_own_pages_alone(signed_in: tuple[Service, str, str], trial: Trial) -> None:
    service, cookie, xsrf = signed_in
    fill(service.volume, trial)
    here = PREFIX + "pages/course/c"

    async def sent(token: str, form: str = trial.form, hidden: dict[str, str] | None = None, **headers: str) -> Seen:
        fields = {"_xsrf": token, **trial.fields, **(hidden or {}), "form": form}
        answer = await service.client.post(
            URL(address(trial, PREFIX, None), encoded=True),
            data=fields,
            headers={"Cookie": cookie, "Referer": service.origin + here, **headers},
            allow_redirects=False,
        )
        return Seen(answer.status, await answer.text(), answer.headers)

    hidden = fields_of((await sent(xsrf, trial.asked_by)).text, trial.form) if trial.asked_by else {}
    assert hidden.pop("_xsrf", xsrf) == xsrf
    before = state_of(Path(service.settings.data))
    for token, headers in (
        ("", {}),
        ("wrong", {}),
        (xsrf, {"Origin": "https://evil.example"}),
        (xsrf, {"Referer": service.origin + "/user/mallory/"}),
        (xsrf, {"Sec-Fetch-Site": "cross-site"}),
        (xsrf, {"Cookie": "other=1"}),
    ):
        assert (await sent(token, hidden=hidden, **headers)).status == 403, (token, headers)
    assert state_of(Path(service.settings.data)) == before
    assert (await sent(xsrf, hidden=hidden)).status == 303


@needs_root
@each_form
async def test_a_disk_that_takes_nothing_leaves_all_as_it_was(exchange: Exchange, trial: Trial) -> None:
    fill(exchange.volume, trial)
    hidden = await asked(exchange, trial)
    data = Path(exchange.data)
    before = state_of(data)
    with unmounted_at_the_end(data):
        subprocess.run(["mount", "--bind", data, data], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", data], check=True)
        seen = await send(exchange, trial, "kevin", True, **hidden)
        assert (seen.status, "Der Speicher ist schreibgeschützt" in words(seen.text)) == (503, True), words(seen.text)
    assert state_of(data) == before
    staging = data / layout.STAGING
    # Deleting does not stage anything: it moves into an entry of the trash.
    full = data / layout.TRASH if trial.form == "delete" else staging
    full.mkdir(exist_ok=True)
    with unmounted_at_the_end(full):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=1", "full", full], check=True)
        seen = await send(exchange, trial, "kevin", True, **hidden)
        assert (seen.status, "Der Speicher ist voll" in words(seen.text)) == (507, True), words(seen.text)
    assert state_of(data) == before
    assert (await send(exchange, trial, "kevin", **hidden)).status == 303


@pytest.mark.parametrize(
    "trial", [each for each in TRIALS if each.form not in ("delete",)], ids=lambda trial: trial.path.split("/")[1]
)
async def test_a_lock_that_is_lost_leaves_all_as_it_was(
    exchange: Exchange, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = exchange.volume
    fill(volume, trial)
    hidden = await asked(exchange, trial)
    before = state_of(Path(exchange.data))
    volume.locks = Locks(os.path.join(volume.root, layout.LOCKS), can_be_lost=True)
    with monkeypatch.context() as patch:
        patch.setattr(Visit, "last_check", property(lambda _: at_the_last_look(volume)))
        seen = await send(exchange, trial, "kevin", True, **hidden)
        assert (seen.status, "Zu viel zu tun" in words(seen.text)) == (503, True), words(seen.text)
    assert state_of(Path(exchange.data)) == before
    assert (await send(exchange, trial, "kevin", **hidden)).status == 303
