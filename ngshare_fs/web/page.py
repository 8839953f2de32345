"""The declaration of a page: routing, permissions, the trail above it and the tests of roles read it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ngshare_fs.access.permission import Conditions, Who
from ngshare_fs.web.visit import Visit


@dataclass(frozen=True)
class Field:
    """A field of a form.

    Args:
        name: its name.
        longest: how many characters are taken.
        required: whether something has to be in it.
    """

    name: str
    longest: int = 1000
    required: bool = True


@dataclass(frozen=True)
class Done:
    """A form has done what it is for.

    Args:
        path: of the page to go to.
        names: in that path.
        what: says what was done: the text `done.` and this.
        count: of how many, where the text says so.
    """

    path: str
    names: Mapping[str, str]
    what: str
    count: int | None = None


@dataclass(frozen=True)
class Asks:
    """A form has looked at what it was sent, and has done nothing yet: the page shows what would be done, and asks.

    Args:
        content: what the template has under `asks`.
    """

    content: Mapping[str, Any]


# The key of a text, a sentence of another room, or several of these.
Problem = str | Sequence[str]


class Wrong(Exception):
    """What was written into a form cannot be; nothing was done.

    Args:
        problems: by the name of the field.
    """

    def __init__(self, problems: Mapping[str, Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True)
class Form:
    """Something that can be done on a page. Where it destroys something, it stands on a page of its own, which asks.

    Args:
        name: told from the page's other forms by it.
        action: does it, or asks; blocking. Takes the texts of the fields; raises `Wrong`, `Refused`, `StoreError`.
        fields: what it takes.
        who: who may do it, where that is not everybody who sees the page.
    """

    name: str
    action: Callable[[Visit, Mapping[str, str]], Done | Asks]
    fields: tuple[Field, ...] = ()
    who: Who | None = None


@dataclass(frozen=True)
class Page:
    """A page: the one declaration that serves routing, permissions, the trail and the tests.

    Args:
        path: below the prefix, with `{course}`, `{assignment}` and `{user}`. Fixed words come first and names last, so
            that no name can be taken for another page.
        who: who may see it.
        template: the file of this name, without its ending; its title is the text `title.` and this.
        read: what the template shows; blocking. Plain values by name.
        under: the page above it in the trail.
        of_student: see `Conditions`.
        only_open: see `Conditions`.
        forms: what can be done on it.
        in_menu: whether the other pages of the same course, or of none, lead to it, for those who may see it.
    """

    path: str
    who: Who
    template: str
    read: Callable[[Visit], Mapping[str, Any]]
    under: "Page | None" = None
    of_student: bool = False
    only_open: bool = False
    forms: tuple[Form, ...] = ()
    in_menu: bool = False

    @cached_property
    def conditions(self) -> Conditions:
        """What is checked before it is shown."""
        return conditions_of(self.path, self.who, self.of_student, self.only_open)

    @property
    def title(self) -> str:
        """The key of its title."""
        return f"title.{self.template}"

    @cached_property
    def trail(self) -> tuple["Page", ...]:
        """The pages above it, from the top."""
        return (*self.under.trail, self.under) if self.under is not None else ()


def conditions_of(path: str, who: Who, of_student: bool, only_open: bool) -> Conditions:
    """What has to hold of what is at a path; see `Page`."""
    return Conditions(
        who,
        course="{course}" in path,
        assignment="{assignment}" in path,
        of_student=of_student,
        only_open=only_open,
    )
