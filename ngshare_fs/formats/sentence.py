"""Sentences of ours with values in them, which a page may say in another language."""

from collections.abc import Mapping


class Sentence(str):
    """A sentence in English. It is a text like others, and beside that it knows how it was made.

    Args:
        template: with places for the values; other languages have theirs by it.
        values: by the names of those places. One that is a sentence itself is said in the other language, too.
    """

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, values: Mapping[str, object]) -> "Sentence":
        made = super().__new__(cls, template.format(**values))
        made.template, made.values = template, values
        return made

    def __getnewargs__(self) -> tuple[str, Mapping[str, object]]:  # type: ignore[override] # of `str`: the text alone
        return self.template, self.values


def sentence(template: str, **values: object) -> Sentence:
    """A sentence from its template and the values in it."""
    return Sentence(template, values)
