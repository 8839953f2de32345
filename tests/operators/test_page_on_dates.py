"""Each command of `docs/dates.md` is run as it stands there, one after the other, and prints what the page says; and
each `ngshare-fs course` of `docs/instructors.md`."""

import re
import shlex
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.formats.civil_time import moment_in
from ngshare_fs.formats.duration import duration_in
from tests import servers

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "dates.md").read_text(encoding="utf-8")
COURSE, TEACHER = "NBG 101", "teacher"


def lines_of(beginning: str) -> list[str]:
    """The lines of the page's example that begins so."""
    text = PAGE[PAGE.index(f"    {beginning}") :].split("\n\n")[0]
    return [line.removeprefix("    ") for line in text.splitlines()]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the page's CSV file, of an instructor of its course on a real server."""
    with servers.running(tmp_path / "volume", "--debug") as server:
        monkeypatch.setenv("NGSHARE_URL", server.url)
        monkeypatch.setenv("NGSHARE_USER", TEACHER)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("JUPYTERHUB_API_TOKEN", raising=False)
        monkeypatch.chdir(tmp_path)
        for words in (
            ("create", COURSE, TEACHER, "--user", "root"),
            ("add-student", COURSE, "ada"),
            ("add-student", COURSE, "max"),
        ):
            assert main(["course", *words]) == 0
        form = urlencode({"user": TEACHER, "files": "[]"}).encode()
        urllib.request.urlopen(f"{server.url}assignment/{quote(COURSE)}/ps1", form).close()
        (file,) = tmp_path.glob("volume/courses/*/course.yaml")
        rules = "\n".join(lines_of("timezone: Europe/Vienna"))
        file.write_text(f"{file.read_text(encoding='utf-8')}{rules}\n", encoding="utf-8")
        (tmp_path / "extensions.csv").write_text("\n".join(lines_of("user,until,reason")), encoding="utf-8")
        yield tmp_path


def test_the_commands_do_what_they_are_there_for(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = re.findall(r"^    (ngshare-fs course .*)$", PAGE, re.MULTILINE)
    assert len(commands) == 10
    for command in commands:
        capsys.readouterr()
        assert main(shlex.split(command, comments=True)[1:]) == 0, command
        said = capsys.readouterr().out.splitlines()
        if "--grace 5m" in command:
            assert said == lines_of("due: none →")
        elif "'NBG 101'  " in command:
            assert said == lines_of("assignment    state")


def test_the_commands_on_the_page_for_instructors_are_run(here: Path) -> None:
    page = (DOCS / "instructors.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    (ngshare-fs course .*)$", page, re.MULTILINE)
    # The one on columns stands at the end, behind the deletion of the course.
    for command in sorted(commands, key=lambda command: "--columns" not in command):
        heading = "Matrikelnummer,Name" if "--columns" in command else "student_id,last_name"
        (here / "students.csv").write_text(f"{heading}\nada,Lovelace\nmax,Groß\n", encoding="utf-8")
        words = [*shlex.split(command, comments=True)[1:], "--user", "root"]
        if words[1] == "create":
            words[2] = "another"  # the page's own is there
        if words[1] == "sync" or words[1].startswith("delete"):
            words.append("--yes")
        assert main(words) == 0, command


def test_wrong_rows_are_said_as_the_page_has_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["course", "dates", COURSE, "ps1", "--due", "2036-11-15"]) == 0
    (here / "extensions.csv").write_text("user,until\nada,18.11.2036\nmax,2036-11-14\n")
    capsys.readouterr()
    assert main(["course", "extend", COURSE, "ps1", "--file", "extensions.csv"]) == 1
    assert capsys.readouterr().err.splitlines() == lines_of("ngshare-fs: extensions.csv:")


def test_the_times_on_the_page_are_understood() -> None:
    for line in lines_of("2026-11-15 23:59:59 Europe/Vienna"):
        moment_in(line)
    with pytest.raises(ValueError, match="set forward"):
        moment_in("2026-03-29 2:30", "Europe/Vienna")
    first, second = moment_in("2026-10-25 02:30", "Europe/Vienna"), moment_in("2026-10-25 02:30 +01:00")
    assert (second.at - first.at) == duration_in("1h")


def test_the_drawing_has_words_for_those_who_do_not_see_it_and_a_dark_form() -> None:
    text = (DOCS / "dates.svg").read_text(encoding="utf-8")
    drawing = ElementTree.fromstring(text)
    name = "{http://www.w3.org/2000/svg}"
    described = drawing.attrib["aria-labelledby"].split()
    assert [drawing.find(f"{name}{tag}").attrib["id"] for tag in ("title", "desc")] == described  # type: ignore[union-attr]
    assert "prefers-color-scheme: dark" in text
    used = {each.attrib["class"] for each in drawing.iter() if "class" in each.attrib}
    dark = text[text.index("prefers-color-scheme") :]
    assert all(f".{each} {{" in dark for each in used - {"mark", "axis"})
    assert re.search(r"!\[[^\]]{100,}\]\(dates\.svg\)", PAGE), "the picture has words beside it"
