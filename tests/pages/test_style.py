"""The style sheet and the templates know the same classes."""

import re
from pathlib import Path

import ngshare_fs.web

WEB = Path(ngshare_fs.web.__file__).parent
STYLE = re.sub(r"/\*.*?\*/", "", (WEB / "static" / "style.css").read_text("utf-8"), flags=re.DOTALL)
# How something stands, where that is nothing to set off.
BARE = {"open"}


def _styled() -> set[str]:
    selectors = re.sub(r"\{[^{}]*\}", " ", STYLE)
    return set(re.findall(r"\.([a-z][a-z0-9-]*)", selectors))


def _used() -> set[str]:
    found = {"check-wrong", "line-2"}  # made of a state, and of a number
    for file in (WEB / "templates").glob("*.html"):
        for classes in re.findall(r'class="((?:[^"{]|\{\{.*?\}\}|\{%.*?%\})*)"', file.read_text("utf-8")):
            words = [*re.findall(r"'([a-z -]+)'", classes), re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " ", classes)]
            found |= {word for each in words for word in each.split() if not word.endswith("-")}
    return found


def _named_in_code() -> str:
    files = [*WEB.rglob("*.py"), *WEB.glob("static/*.js")]
    return "\n".join(file.read_text("utf-8") for file in files)


def test_nothing_is_styled_that_no_page_has() -> None:
    code = _named_in_code()
    assert not {each for each in _styled() - _used() if not re.search(rf"\b{each}\b", code)}


def test_nothing_has_a_class_that_means_nothing() -> None:
    assert not _used() - _styled() - BARE


def test_no_selector_stands_twice() -> None:
    """What holds on a printed page, or on a small one, is beside the rest, in a block of its own."""
    top = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", STYLE)
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", top)
    said: dict[tuple[str, str], int] = {}
    for selectors, declared in rules:
        for selector in re.split(r",(?![^(]*\))", selectors):
            for declaration in declared.split(";"):
                if name := declaration.partition(":")[0].strip():
                    key = " ".join(selector.split()), name
                    said[key] = said.get(key, 0) + 1
    assert not {key for key, times in said.items() if times > 1}
