"""What the documentation says is there, is there; and what is there, it says."""

import re
import shlex
from pathlib import Path

import pytest

from ngshare_fs.api.endpoints.table import ENDPOINTS
from ngshare_fs.command.main import make_parser
from ngshare_fs.settings import read_settings
from ngshare_fs.settings.hub_environment import HUB_VARIABLES, SERVICE_URL_VARIABLE
from ngshare_fs.settings.options import options_table
from ngshare_fs.settings.sources import COOKIE_SECRET_VARIABLE
from ngshare_fs.settings.values import PROBES
from ngshare_fs.store.checking.findings import FINDINGS
from ngshare_fs.store.format.names import folder_of
from ngshare_fs.store.repairing.table import REPAIRS

ROOT = Path(__file__).parent.parent
CONFIGURATION = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.md")])


def examples(page: Path) -> list[str]:
    """The indented lines of a page, those joined that end in a backslash."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.startswith("    ")]


def test_the_table_of_options_is_the_one_in_the_code() -> None:
    assert options_table() in CONFIGURATION


@pytest.mark.parametrize("word", [*HUB_VARIABLES.values(), COOKIE_SECRET_VARIABLE, SERVICE_URL_VARIABLE, *PROBES])
def test_what_settings_heed_is_explained(word: str) -> None:
    assert word in CONFIGURATION


def test_the_example_of_a_file_is_understood(tmp_path: Path) -> None:
    lines = CONFIGURATION[CONFIGURATION.index("    # ngshare.yaml\n") :].split("\n\n")[0]
    file = tmp_path / "ngshare.yaml"
    file.write_text(re.sub(r"^    ", "", lines, flags=re.MULTILINE), encoding="utf-8")
    settings = read_settings({"standalone": True, "config": str(file)}, {})
    assert settings.admins == {"zoë@uni.example", "no", "007", "Lovelace, Ada"}
    assert settings.workers == 2


def test_commands_in_the_documentation_are_understood() -> None:
    found = [
        line for page in PAGES for line in examples(page) if re.match(r"(\$ )?(ngshare-fs|\./serve|\./check)\b", line)
    ]
    words = [
        shlex.split(line.removeprefix("$ "), comments=True) for line in found if not line.startswith("ngshare-fs: ")
    ]
    assert words
    for program, *arguments in words:
        if program.startswith("./"):
            assert (ROOT / program).stat().st_mode & 0o111, f"{program} cannot be run"
        if program == "./serve":
            arguments = ["serve", "--standalone", *arguments]
        if program != "./check":
            make_parser().parse_args(arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def _page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_every_finding_is_explained() -> None:
    page = _page("volume-format.md")
    for code, defect in FINDINGS.items():
        assert f"| `{code}` | {defect.meaning} | {defect.remedy} | {REPAIRS[code].words} |" in page


def test_every_endpoint_has_its_row() -> None:
    page = _page("api.md")
    for endpoint in ENDPOINTS:
        assert f"| `{endpoint.method} {endpoint.path}` |" in page
        assert endpoint.summary in page


def test_the_examples_of_names_are_true() -> None:
    page = _page("volume-format.md")
    for name in ("NBG 101", "zoë@uni.example", "..", ".hidden", "a/b", "100%", "ends in a blank "):
        assert f"| `{name}` | `{folder_of(name)}` |" in page
    assert folder_of("x" * 300)[206 : 206 + 14] in page


def test_every_module_is_on_the_map() -> None:
    page = _page("contributing.md")
    for module in (ROOT / "ngshare_fs").rglob("*.py"):
        assert module.name in page or module.name.startswith("__"), module


def test_every_picture_is_shown() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert not [each for each in (ROOT / "docs/pictures").iterdir() if f"pictures/{each.name})" not in pages]
