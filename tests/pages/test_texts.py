"""What pages say: in each language all of it, and nothing that no page says."""

import ast
import pickle
import re
import string
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

import ngshare_fs.web
from ngshare_fs.formats.sentence import sentence
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refusal
from ngshare_fs.roster_files import csv_text
from ngshare_fs.store import Timestamp
from ngshare_fs.web import sign_in
from ngshare_fs.web.table import PAGES
from ngshare_fs.web.texts.catalogue import catalogue
from ngshare_fs.web.texts.language import LANGUAGES, preferred
from ngshare_fs.web.texts.times import Times, duration_in_words

WEB = Path(ngshare_fs.web.__file__).parent
# Keys whose last part is known only when the page is shown.
CHOSEN = (
    "role.",
    "state.",
    "status.",
    "month.",
    "duration.",
    "done.",
    "field.",
    "preview.",
    "menu.",
    "need.",
    "do.",
    "overview.state.",
    "class.show.",
    "class.sort.",
    "class-csv.",
    "collect.which-one.",
    "manage.state.",
    "roster.count",
    "admin.column.",
    "volume.range.",
    "volume.plot.",
    "volume.axes.",
    "volume.line.",
    "journal.",
    "health.state.",
    "trash.kind.",
    "restore.why.",
)


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _literals() -> Iterator[str]:
    for file in [*WEB.rglob("*.py"), *WEB.rglob("*.html")]:
        yield from re.findall(r"""["']([a-z]+(?:[.-][a-z0-9-]+)+|time)["']""", file.read_text("utf-8"))


def test_all_languages_say_the_same_things() -> None:
    ours = catalogue(LANGUAGES[0]).texts
    for language in LANGUAGES[1:]:
        theirs = catalogue(language).texts
        assert theirs.keys() == ours.keys()
        for key, text in theirs.items():
            if not key.endswith(".one"):  # one may do without the number
                assert _places(text) == _places(ours[key]), key


def test_every_text_is_said_and_every_text_that_is_said_is_there() -> None:
    texts = catalogue("en")
    said = {key.removesuffix(".one").removesuffix(".other") for key in texts.texts}
    literals = {*_literals(), *(page.title for page in PAGES)}
    literals |= {
        f"work.not-handed-in.{state}" for state in ("open", "always", "late", "closed", "scheduled", "withdrawn")
    }
    unsaid = {key for key in said if key not in literals and not key.startswith(CHOSEN)}
    assert not unsaid
    sections = {key.partition(".")[0] for key in said}
    missing = {key for key in literals if key.partition(".")[0] in sections and key not in texts}
    assert not {key for key in missing if not key.endswith((".html", ".py", ".yaml"))}


def test_german_has_all_refusals_that_a_page_can_meet() -> None:
    found = {
        each.message for module in (refusals, sign_in) for each in vars(module).values() if isinstance(each, Refusal)
    }
    german = catalogue("de")
    assert german.refusals.keys() <= found, "a message that nobody says any more"
    page_met = {refusals.OF_STORE_ERROR[error].message for error in refusals.OF_STORE_ERROR}
    of_forms = {"Instructor not found", "Grader not found", "Wrong dates", "Illegal path"}
    of_forms |= {
        "Cannot add instructor as student",
        "Cannot add grader as student",
        "Key belongs to a submission of other files",
    }
    assert page_met - of_forms <= german.refusals.keys()


def _templates() -> set[str]:
    """The templates of all sentences of ours, and those that are values of others."""
    found = {"release", "due", "close", "instructor", "grader", *csv_text.DELIMITERS.values()}
    for file in WEB.parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="sentence"), args=[ast.Constant(value=str(template))]):
                    found.add(template)
    return found


def test_german_has_all_sentences_of_other_rooms_and_no_other() -> None:
    german = catalogue("de").sentences
    assert german.keys() == _templates()
    for english, text in german.items():
        assert _places(str(text)) == _places(english), english


def test_a_sentence_shows_its_values_as_text_in_each_language() -> None:
    how = sentence("only capitals differ")
    twin = sentence(
        "{user} is {twin} in row {row}: {how}; remove one",
        user="<b>",
        twin="{x}",
        row=2,
        how=how,
    )
    assert twin == "<b> is {x} in row 2: only capitals differ; remove one"
    assert pickle.loads(pickle.dumps(twin)).template == twin.template
    shown = str(catalogue("de").problem(twin))
    assert "<bdi>&lt;b&gt;</bdi> ist <bdi>{x}</bdi> in Zeile" in shown
    assert "Groß- und Kleinschreibung" in shown
    quoted = sentence(
        "the {column} {value!a} has the character {wrong} in it: remove it", column="c", value="a\x1b", wrong="U+001B"
    )
    assert "<bdi>a\\x1b</bdi>" in str(catalogue("en").problem(quoted))


def test_every_status_that_a_refusal_has_has_a_title() -> None:
    found = {
        each.status for module in (refusals, sign_in) for each in vars(module).values() if isinstance(each, Refusal)
    }
    found -= {405}  # answered before any page is asked
    assert not [status for status in found if f"status.{status}" not in catalogue("en")]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("DE-at", "de"),
        ("fr, de;q=0.5, en;q=0.4", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("en;q=0.1,de;q=0.2", "de"),
        ("de;q=0", "en"),
        ("de;q=2", "en"),
        ("de;q=\u0661", "en"),
        ("*", "en"),
        (";;,,;q=", "en"),
        ("de" * 4000, "en"),
    ],
)
def test_the_language_is_the_one_that_the_browser_asks_for(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


def test_values_in_texts_are_escaped_and_never_places_themselves() -> None:
    hostile = "<script>{count}{0.__class__}</script>"
    shown = str(catalogue("en")("frame.signed-in", user=hostile))
    assert shown == "You are &lt;script&gt;{count}{0.__class__}&lt;/script&gt;."


def test_times_are_in_the_zone_and_in_utc() -> None:
    due = datetime(2026, 11, 15, 22, 59, 59, tzinfo=timezone.utc)
    english, german = catalogue("en"), catalogue("de")
    assert str(Times(english, "Europe/Vienna").in_words(due)) == (
        '<time datetime="2026-11-15T22:59:59Z">15 November 2026, 23:59:59 CET</time>'
    )
    moment = Timestamp("2026-03-01 08:00:00.999999 UTC")
    assert "1. März 2026, 13:30 UTC+05:30<" in str(Times(german, "UTC").in_words(moment, "+05:30"))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (61, "1 minute 1 second"),
        (3600, "1 hour"),
        (3605, "1 hour"),
        (93784, "1 day 2 hours"),
    ],
)
def test_durations_have_the_two_greatest_units(seconds: int, said: str) -> None:
    assert duration_in_words(catalogue("en"), seconds) == said
