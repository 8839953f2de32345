"""What the volume writes it reads back as it was, and what it cannot understand it refuses by line."""

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import BrokenYaml, Node
from ngshare_fs.store.format import course_file, manifest, timestamp, trash_file
from ngshare_fs.store.format.course_file import Person, Roster
from ngshare_fs.store.format.manifest import Manifest, StoredFile
from tests import volumes

ENCODABLE = st.characters(exclude_categories=["Cs"])
TEXT = st.text(ENCODABLE, max_size=30)
# What YAML takes for something else, or for its own.
WORDS = "yes 0x1F 1_000 12:30:45 .inf = << ? - --- ... # : &a *a !!int | > %YAML @ ` {} [] { ' \" \\"
BLANKS = (
    "",
    "? ",
    "- ",
    " #",
    ": ",
    " a\n b",
    "a\n\n\nb",
    "a ",
    "\t",
    "\r",
    "\r\n",
    "\n",
    "\x85",
    "\u2028",
    "\ufeff",
    "a\ufeff",
)
TRICKY = (*WORDS.split(" "), *BLANKS, "\ufffe", "\x7f", "\x00", *volumes.HOSTILE_NAMES)
ANY = TEXT | st.sampled_from(TRICKY)
NAME = ANY.filter(bool)
MAYBE = st.none() | ANY
VALUE: st.SearchStrategy[Node] = st.recursive(
    MAYBE, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY, inner, max_size=3), max_leaves=8
)


def more(keys: tuple[str, ...]) -> st.SearchStrategy[dict[str, Node]]:
    return st.dictionaries(ANY.filter(lambda key: key not in keys), VALUE, max_size=3)


PEOPLE = st.dictionaries(NAME, st.builds(Person, MAYBE, MAYBE, MAYBE, more(course_file.PERSON_KEYS)), max_size=4)
ROSTERS = st.builds(Roster, NAME, PEOPLE, PEOPLE, more(course_file.COURSE_KEYS))
MOMENTS = st.datetimes(timezones=st.none()).map(
    lambda moment: timestamp.Timestamp(f"{moment:%Y-%m-%d %H:%M:%S.%f} UTC")
)
FILES = st.lists(st.builds(StoredFile, ANY, st.integers(0, 10**18 - 1), ANY), max_size=4).map(tuple)
MANIFESTS = st.builds(
    Manifest, st.sampled_from(manifest.KINDS), ANY, ANY, ANY, MOMENTS, FILES, MAYBE, st.none() | MOMENTS
)


def parsed(text: "bytes | str") -> dict[str, Node]:
    return yaml_text.parse(text.encode() if isinstance(text, str) else text, "file", lambda document: document)


@given(ROSTERS)
@example(Roster("c", {}, {"ada": Person(more={"note": None})}, {"empty": None, "list": [None, "", "null"]}))
def test_a_roster_comes_back(roster: Roster) -> None:
    content = roster.to_yaml()
    again = yaml_text.parse(content, "course.yaml", course_file.understand)
    assert again == roster
    assert list(again.students) == list(roster.students)
    assert again.to_yaml() == content


@given(MANIFESTS)
def test_a_manifest_comes_back(before: Manifest) -> None:
    assert yaml_text.parse(before.to_yaml(), "manifest.yaml", manifest.understand) == before


@given(st.dictionaries(ANY, ANY, max_size=5))
def test_any_other_yaml_program_reads_the_same_text(document: dict[str, str]) -> None:
    assert yaml.safe_load(yaml_text.dump(document)) == document


SCALARS = st.sampled_from(
    ["no", "Y", "~", "1e3", "0x1f", ".nan", "a-b", "a/b.c", "x: y", "-", "_", "\ue000", "0" * 32, "1e" * 16, "a" * 129]
) | st.builds(str.__mul__, st.sampled_from("é\u4e00"), st.sampled_from((42, 43, 64, 65)))
ALMOST_PLAIN = (
    SCALARS
    | st.text("yYnNoOeaf019._/@: -+'#é²\u0301\u4e00\ud7fb\ufb01\U00010400", min_size=1)
    | st.text("019aef", min_size=32, max_size=32)
    | st.lists(st.text("aé-'+", min_size=1), min_size=1).map(" ".join)
    | st.text(ENCODABLE.filter(str.isalnum), min_size=1)
)


@given(ALMOST_PLAIN, ALMOST_PLAIN, st.integers(0))
def test_what_is_written_the_quick_way_is_what_the_emitter_writes(key: str, value: str, size: int) -> None:
    document = {
        "kind": value,
        key: value,
        "empty": {},
        "people": {key: {"name": value}, "nobody": {}},
        "files": [{"path": value, "size": size, "md5": value}],
    }
    assert yaml_text.dump(document) == yaml_text._emitted(document)


@given(st.dictionaries(NAME, st.dictionaries(NAME, st.dictionaries(NAME, VALUE, max_size=3), max_size=3), max_size=3))
def test_an_oddity_does_not_change_how_the_rest_is_written(document: dict[str, Node]) -> None:
    assert yaml_text.dump(document) == yaml_text._emitted(document)


@given(ANY)
def test_text_that_is_written_by_hand_in_double_quotes_comes_back(text: str) -> None:
    assert parsed(f"a:\n  {volumes.key(text)}: {volumes.quoted(text)}\n") == {"a": {text: text}}


@given(st.binary(max_size=60) | TEXT.map(str.encode))
def test_whatever_the_file_holds_it_is_understood_or_refused(content: bytes) -> None:
    for understand in (course_file.understand, manifest.understand, trash_file.understand):
        with pytest.raises(BrokenYaml) as refused:
            yaml_text.parse(content, "file", understand)
        assert refused.value.line is not None
        assert 1 <= refused.value.line <= content.count(b"\n") + content.count(b"\r") + 2


@pytest.mark.parametrize("scalar", ["no", "Yes", "007", "1e3", "0x10", "null", "~", "2020-01-01", "12:30", ".nan", "="])
def test_scalars_are_text_whatever_yaml_thinks(scalar: str) -> None:
    assert parsed(f"{scalar}: {scalar}\n") == {scalar: scalar}
    assert parsed(f"a: [{scalar}]\n") == {"a": [scalar]}


def test_an_empty_value_is_not_set_and_an_empty_text_is() -> None:
    assert parsed("a:\nb: ''\nc: \"\"\nd:   # nothing\n") == {"a": None, "b": "", "c": "", "d": None}


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "given twice"),
        ("a:\n  b: 1\n  b: 1\n", 3, "given twice"),
        ('a: 1\n"\\x61": 2\n', 2, "given twice"),
        ("a: &x [1]\nb: *x\n", 2, "aliases"),
        ("a: &x {b: *x}\n", 1, "aliases"),
        ("a: *nobody\n", 1, "alias"),
        ("a: 1\n? [b]\n: 2\n", 2, "a name is expected"),
        ("a: 1\n? {b: c}\n: 2\n", 2, "a name is expected"),
        ("a: 1\n: 2\n", 2, "key"),
        ("- a\n", 1, "mapping"),
        ("a\n", 1, "mapping"),
        ("", 1, "mapping"),
        ("# only a comment\n", 1, "mapping"),
        ("a: 1\n---\nb: 2\n", 2, "document"),
        ("a: 1\nb: [\n", 3, "expected"),
        ("a: 1\n\tb: 2\n", 2, "tab"),
        ("a: 'x\n", 2, "end of stream"),
        ("a: ä\nb: \x01\n", 2, "control"),
        ("a: 1\nb: " + "[" * 101 + "]" * 101, 2, "nested too deeply"),
        ("a: 1\nb: " + "[" * 300_000, 2, "nest"),  # libyaml itself may refuse it first
        ("a: 1\nb:\n- " + "- " * 300_000, 3, "nested too deeply"),
        ("\n".join(" " * depth + "a:" for depth in range(110)), 101, "nested too deeply"),
    ],
)
def test_what_is_not_understood_is_refused_by_line(text: str, line: int, problem: str) -> None:
    with pytest.raises(BrokenYaml, match=problem) as refused:
        parsed(text)
    assert (refused.value.file, refused.value.line) == ("file", line)


def test_another_encoding_is_refused_by_line() -> None:
    with pytest.raises(BrokenYaml, match="UTF-8") as refused:
        parsed("a: 1\nb: ä\n".encode("latin-1"))
    assert refused.value.line == 2


def test_what_editors_on_other_systems_write_is_understood() -> None:
    assert parsed(b"\xef\xbb\xbfcourse: x\r\nstudents:\r\n  ada:\r\n") == {"course": "x", "students": {"ada": None}}


def test_brackets_in_text_do_not_count_as_depth() -> None:
    assert parsed("a: '" + "[" * 500 + "'\n") == {"a": "[" * 500}


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system", "!!python/name:os.system", "!!int", "!!set", "!own"]
)
def test_tags_make_nothing(tag: str) -> None:
    assert parsed(f"a: {tag} {{b: c}}\nd: {tag} e\n") == {"a": {"b": "c"}, "d": "e"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("students:\n", 1),
        ("course:\n", 1),
        ("course: [a]\n", 1),
        ("course: a\nstudents: ada\n", 2),
        ("course: a\nstudents:\n- ada\n", 2),
        ("course: a\nstudents:\n  ada: ada@x\n", 3),
        ("course: a\nstudents:\n  ada:\n    email: [a]\n", 4),
        ("course: a\nstudents:\n  '': {}\n", 2),
    ],
)
def test_a_course_file_that_says_something_else_is_refused_by_line(text: str, line: int) -> None:
    with pytest.raises(BrokenYaml) as refused:
        yaml_text.parse(text.encode(), "course.yaml", course_file.understand)
    assert refused.value.line == line


@pytest.mark.parametrize("size", ["-1", "1.5", "1e3", "0x1", "", "\N{ARABIC-INDIC DIGIT THREE}", "9" * 5000, " 1"])
def test_a_size_is_a_number_of_bytes(size: str) -> None:
    text = "kind: release\ncourse: c\nassignment: a\nby: b\ntimestamp: t\nfiles:\n- path: p\n  md5: x\n"
    with pytest.raises(BrokenYaml) as refused:
        yaml_text.parse(f"{text}  size: '{size}'\n".encode(), "manifest.yaml", manifest.understand)
    assert refused.value.line == 6
