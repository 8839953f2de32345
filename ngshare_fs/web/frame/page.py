"""The declaration of a page: routing, permissions, the trail above it and the tests of roles read it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from ngshare_fs.access.permission import Conditions, Who
from ngshare_fs.formats.chosen_zip import UnfitZip
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import IncomingFile
from ngshare_fs.web.frame.visit import Visit


@dataclass(frozen=True)
class Field:
    """A field of a form.

    Args:
        name: its name.
        longest: how many characters are taken.
        required: whether something has to be in it.
        is_file: whether it is a small file, for which the form is sent as `multipart/form-data`; what was in it is a
            text with a character for each byte.
    """

    name: str
    longest: int = 1000
    required: bool = True
    is_file: bool = False


@dataclass(frozen=True)
class Done:
    """A form has done what it is for.

    Args:
        path: of the page to go to.
        names: in that path.
        what: says what was done: the text `done.` and this.
        count: of how many, where the text says so.
        query: parameters of that page.
    """

    path: str
    names: Mapping[str, str]
    what: str
    count: int | None = None
    query: Mapping[str, str] = field(default_factory=dict)


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
        told: what these texts, and the page, are told more.
        status: of the answer.
    """

    def __init__(
        self, problems: Mapping[str, Problem], told: Mapping[str, object] = MappingProxyType({}), status: int = 400
    ) -> None:
        super().__init__(problems)
        self.problems = problems
        self.told = told
        self.status = status


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


# The field of each file that was sent, and the file with the path that the browser has given.
Chosen = Sequence[tuple[str, IncomingFile]]


@dataclass(frozen=True)
class Prepared:
    """What is to be done with files that were sent.

    Args:
        arguments: of the API's action, but for its files.
        files: of those that came, with the paths that they are to have.
    """

    arguments: Mapping[str, str]
    files: Sequence[IncomingFile]


def leave_it(error: Refused | UnfitZip) -> Wrong | None:
    """Nothing is explained: another page says why it was refused."""
    return None


@dataclass(frozen=True)
class UploadForm:
    """A form with files (`multipart/form-data`). What it does is one of the API's actions, with all that goes with it.

    Args:
        action: method and path of that, with the names of the page: it declares who may, and where it runs.
        prepare: looks at what came, before anything is done; blocking. Raises `Wrong`, `Refused`, `StoreError`.
        done: where it leads, by the answer of the API.
        fields: its texts, which come before the files.
        zips: the fields whose files are zips; `prepare` is given what was in them.
        explain: what this page says of a refusal, beside its form; of what it says nothing, there is another page.
    """

    action: tuple[str, str]
    prepare: Callable[[Visit, Mapping[str, str], Chosen], Prepared]
    done: Callable[[Visit, Mapping[str, Any]], Done]
    fields: tuple[Field, ...] = ()
    zips: frozenset[str] = frozenset()
    explain: Callable[[Refused | UnfitZip], Wrong | None] = leave_it


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
        new_assignment: whether the assignment in its path need not be there.
        forms: what can be done on it.
        upload: the one of its forms that has files.
        scripts: that it is easier to use with; it works without.
        in_menu: whether the other pages of the same course, or of none, lead to it, for those who may see it.
        for_students: whether these lead students alone to it: to all others, it has nothing to say.
    """

    path: str
    who: Who
    template: str
    read: Callable[[Visit], Mapping[str, Any]]
    under: "Page | None" = None
    of_student: bool = False
    only_open: bool = False
    new_assignment: bool = False
    forms: tuple[Form, ...] = ()
    upload: UploadForm | None = None
    scripts: tuple[str, ...] = ()
    in_menu: bool = False
    for_students: bool = False

    @cached_property
    def conditions(self) -> Conditions:
        """What is checked before it is shown."""
        # Where nobody can say whether an assignment is released, work is taken, but nothing is shown.
        takes_work = self.upload is not None
        found = conditions_of(self.path, self.who, self.of_student, self.only_open)
        return replace(found, writes=takes_work, assignment=found.assignment and not self.new_assignment)

    @cached_property
    def takes_small_files(self) -> bool:
        """Whether one of its forms has a field for a file."""
        return any(field.is_file for form in self.forms for field in form.fields)

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
