"""Names that would be something else in an address, on a page or in a header."""

from urllib.parse import unquote

import pytest

from ngshare_fs.store import Person, course, release, roster, submission
from ngshare_fs.web.frame.addresses import name_in, segment_of
from tests.conftest import Exchange
from tests.pages.browsing import Browser, document, links
from tests.rounds import rounds
from tests.stores import upload
from tests.volumes import HOSTILE_NAMES, LEGAL_PATHS

MARKUP = (
    '"><script>alert(1)</script>',
    "' onload=x '",
    "{{ 7919 * 7919 }}",
    "&amp;",
    "~",
    "~..",
    "~~",
    "?a=b&c#d",
    "]]>",
    "javascript:x",
)
NAMES = list(dict.fromkeys([*(name for name in HOSTILE_NAMES if "\0" not in name), *MARKUP]))
# What a page shows of a name; what the API makes of all of them is tried elsewhere.
SHOWN = NAMES[-rounds(len(NAMES), len(MARKUP) + 3) :]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_comes_back_out_of_an_address(name: str) -> None:
    segment = segment_of(name)
    assert name_in(unquote(segment)) == name
    assert unquote(segment) not in (".", "..")
    assert segment.isascii()
    assert "/" not in segment


async def test_pages_of_hostile_names_are_reached_by_their_links_and_show_them_as_text(exchange: Exchange) -> None:
    browser = Browser(exchange)
    for name in SHOWN:
        course.create(exchange.volume, name, ["kevin"])
        roster.set_student(exchange.volume, name, name, Person())
        with upload(exchange.volume, **{"f": b"1"}) as released:
            release.release(exchange.volume, name, name, "kevin", released)
        with upload(exchange.volume, **{"f": b"1"}) as work:
            submission.submit(exchange.volume, name, name, name, work)
    for name in SHOWN:
        home = await browser.look("", name)
        assert home.status == 200
        to_course = [link for link in links(home.text) if "pages/course/" in link]
        assert len(to_course) == 1, name
        listed = await browser.follow(to_course[0])
        assert listed.status == 200, (name, listed)
        to_assignment = [link for link in links(listed.text) if "pages/assignment/" in link]
        assert len(to_assignment) == 1, name
        shown = await browser.follow(to_assignment[0])
        assert shown.status == 200, (name, shown)
        to_file = [link for link in links(shown.text) if "pages/release-file/" in link]
        file = await browser.follow(to_file[0])
        assert (file.status, file.text) == (200, "1"), name
        to_own = [link for link in links(shown.text) if "pages/submissions/" in link]
        own = await browser.follow(to_own[0])
        assert own.status == 200, (name, own)
        receipt = await browser.follow(next(link for link in links(own.text) if "pages/receipt/" in link))
        assert receipt.status == 200, (name, receipt)
        for kind in ("pages/submission-file/", "pages/submission-zip/", "pages/release-zip/", "pages/receipt-json/"):
            both = (*links(shown.text), *links(own.text), *links(receipt.text))
            handed_out = await browser.follow(next(link for link in both if kind in link))
            assert handed_out.status == 200, (name, kind)
            assert "\n" not in handed_out.headers["Content-Disposition"]
        for page in (home, listed, shown, own, receipt):
            elements = document(page.text).elements
            scripts = [attributes for tag, attributes in elements if tag == "script"]
            assert {str(each["src"]).partition("?")[0] for each in scripts} == {"/api/static/times.js"}
            assert not [key for _, attributes in elements for key in attributes if key.startswith("on")]
            assert "62710561" not in page.text


async def test_every_file_of_a_release_is_handed_out_by_its_link(exchange: Exchange) -> None:
    browser = Browser(exchange)
    course.create(exchange.volume, "c", ["kevin"])
    paths = [*LEGAL_PATHS[1:], 'a".html', "x;y.svg", "<b>.html", "käse.ipynb", "right\u202etxt.exe"]
    with upload(exchange.volume, **{path: path.encode() for path in paths if not path.startswith("files")}) as released:
        release.release(exchange.volume, "c", "a", "kevin", released)
    shown = await browser.look("pages/assignment/{course}/{assignment}", "kevin", {"course": "c", "assignment": "a"})
    files = [link for link in links(shown.text) if "pages/release-file/" in link]
    assert len(files) == len([path for path in paths if not path.startswith("files")])
    contents = set()
    for link in files:
        file = await browser.follow(link)
        assert file.status == 200, link
        contents.add(file.text)
        assert file.headers["Content-Type"] == "application/octet-stream"
        assert file.headers["Content-Disposition"].startswith("attachment; filename=")
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in file.headers["Content-Security-Policy"]
    assert contents == {path for path in paths if not path.startswith("files")}
    for other in ("", "no such", "../manifest.yaml", "manifest.yaml2"):
        names = {"course": "c", "assignment": "a"}
        assert (
            await browser.look("pages/release-file/{course}/{assignment}", "kevin", names, file=other)
        ).status == 404


async def test_the_mark_of_names_alone_is_no_empty_name(exchange: Exchange) -> None:
    course.create(exchange.volume, "c", ["kevin"])
    for path in ("course/~", "assignment/c/~", "student/c/~", "assignment/~/~"):
        assert (await Browser(exchange).follow(f"/api/pages/{path}?user=kevin")).status in (403, 404), path
