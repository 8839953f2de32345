"""The texts of one language, by keys such as `state.open`.

A text has places for values, `{count}`; one about a number has two forms, `one` and `other`. The texts are ours, and
what is put into them may be anybody's: it is escaped.
"""

import functools
from collections.abc import Iterator, Mapping
from importlib.resources import files as package_files
from types import MappingProxyType

from markupsafe import Markup, escape

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.formats.sentence import Sentence
from ngshare_fs.formats.yaml_text import Node
from ngshare_fs.http.refusals import Refusal

FORMS = frozenset({"one", "other"})
# Refusals by their messages, where a language says them in its own words.
REFUSALS = "refusals"
# Sentences of other rooms, by their templates, likewise.
SENTENCES = "sentences"


class Catalogue:
    """What pages say in a language.

    Args:
        language: its tag.
        document: what its file says.
    """

    def __init__(self, language: str, document: Mapping[str, Node]) -> None:
        self.language = language
        self.refusals = _by_english(document, REFUSALS)
        self.sentences = _by_english(document, SENTENCES)
        self.texts = dict(_flat({key: node for key, node in document.items() if key not in (REFUSALS, SENTENCES)}))

    def __call__(self, key: str, **values: object) -> Markup:
        """A text with values in their places.

        Args:
            key: of the text.
            values: `count` also decides which form is meant.

        Raises:
            KeyError: there is no such text, or it asks for a value that is not there.
        """
        if f"{key}.one" in self.texts:
            key += ".one" if values["count"] == 1 else ".other"
        # Escaped before it is said to be safe; what is put into it is escaped by `format`.
        return Markup(escape(self.texts[key])).format(**values)  # noqa: S704

    def __contains__(self, key: str) -> bool:
        return key in self.texts or f"{key}.one" in self.texts

    def problem(self, said: str, told: Mapping[str, object] = MappingProxyType({})) -> Markup:
        """What is wrong with something that was sent: the text of a key, or a sentence in this language.

        Args:
            said: a key, or a `Sentence`; in English where the language has no words of its own for it.
            told: the values of a key's text.
        """
        return self._sentence(said) if isinstance(said, Sentence) else self(said, **told)

    def _sentence(self, said: Sentence) -> Markup:
        # Values are shown as they are, and marked, where a command quotes them as Python does.
        template = str(self.sentences.get(said.template) or said.template).replace("!a}", "}").replace("!r}", "}")
        values = {
            key: self._sentence(value) if isinstance(value, Sentence) else _value(value)
            for key, value in said.values.items()
        }
        return Markup(escape(template)).format(**values)  # noqa: S704

    def of_refusal(self, refusal: Refusal) -> str:
        """Why something was refused; in the words of the API where the language has none of its own."""
        return str(self.refusals.get(refusal.message) or refusal.message)


@functools.cache
def catalogue(language: str) -> Catalogue:
    """The texts of one of our languages. Reads a file the first time."""
    name = f"{language}.yaml"
    content = package_files(__package__).joinpath(name).read_bytes()
    return Catalogue(language, yaml_text.parse(content, name, lambda document: document))


def _value(value: object) -> Markup:
    return Markup("<bdi>{}</bdi>").format(in_one_line(str(value)))


def _by_english(document: Mapping[str, Node], section: str) -> Mapping[str, Node]:
    said = document.get(section)
    return said if isinstance(said, dict) else {}


def _flat(nodes: Mapping[str, Node], above: str = "") -> Iterator[tuple[str, str]]:
    for key, node in nodes.items():
        if isinstance(node, dict):
            yield from _flat(node, f"{above}{key}.")
        else:
            yield above + key, str(node)
