"""What the documentation lists is what the code has."""

import re
from pathlib import Path

from ngshare_fs.api.endpoints import ENDPOINTS
from ngshare_fs.store.findings import FINDINGS
from ngshare_fs.store.names import folder_of

ROOT = Path(__file__).parent.parent


def _page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_every_finding_is_explained() -> None:
    page = _page("volume-format.md")
    for code, (meaning, remedy) in FINDINGS.items():
        assert f"| `{code}` | {meaning} | {remedy} |" in page


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


def test_links_between_pages_lead_somewhere() -> None:

    for page in [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
