"""`course.yaml`: who teaches and who takes a course. The one file that changes, and that people edit by hand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import Node, WrongShape, mapping_in, text_in
from ngshare_fs.store.format import course_rules
from ngshare_fs.store.format.course_rules import NO_RULES, CourseRules
from ngshare_fs.store.format.unknown_keys import Misspelt, misspelt, unknown_keys

PERSON_KEYS = ("first_name", "last_name", "email")
ROLES = ("instructors", "students")
COURSE_KEYS = ("course", *ROLES)


@dataclass(frozen=True)
class Person:
    """An entry of a roster; None is what nobody has set.

    Args:
        more: what else somebody wrote into the entry; kept as it is.
    """

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    more: Mapping[str, Node] = field(default_factory=dict)


@dataclass(frozen=True)
class Roster:
    """The people of a course by user name.

    Args:
        course: the course's full name.
        more: what else somebody wrote into the file; kept as it is, the rules too.
        rules: what the rules among it mean.
    """

    course: str
    instructors: Mapping[str, Person]
    students: Mapping[str, Person]
    more: Mapping[str, Node] = field(default_factory=dict)
    rules: CourseRules = NO_RULES

    def to_yaml(self) -> bytes:
        """The text of `course.yaml`."""
        document: dict[str, object] = {
            "course": self.course,
            "instructors": {name: _entry(person) for name, person in self.instructors.items()},
            "students": {name: _entry(person) for name, person in self.students.items()},
        }
        document.update(self.more)
        return yaml_text.dump(document)


def understand(document: Mapping[str, Node]) -> Roster:
    """The roster that a parsed `course.yaml` means.

    Raises:
        WrongShape: it is none.
    """
    course = text_in(document, "course")
    if not course:
        # Also what a half-written or emptied file looks like: better no roster than a wrong one.
        found = next(misspelt(document, ("course",)), None)
        raise WrongShape((found.key if found else "course",), str(found) if found else "`course: NAME` is missing")
    for found in misspelt(document, ROLES):
        if _loses_people(document[found.key], document.get(found.meant)):
            # `student:` and people below it: without a word, the course would be without them.
            raise WrongShape((found.key,), str(found))
    return Roster(
        course=course,
        instructors=_people(document, "instructors"),
        students=_people(document, "students"),
        more=unknown_keys(document, COURSE_KEYS),
        rules=course_rules.understand(document),
    )


def misspelt_keys(roster: Roster) -> Iterator[Misspelt]:
    """The keys of a file that was understood which mean nothing, and look as if they should."""
    yield from misspelt(roster.more, (*ROLES, *course_rules.KEYS))
    yield from course_rules.misspelt_keys(roster.more)
    for role, people in (("instructors", roster.instructors), ("students", roster.students)):
        for user, person in people.items():
            yield from misspelt(person.more, PERSON_KEYS, (role, user))


def _loses_people(value: Node, meant: Node) -> bool:
    """Whether people may stand under a key that means nothing: `instructions:` is near to `instructors:`, but none.

    Args:
        meant: what stands under the key that it looks like.
    """
    if isinstance(value, str) or not value:
        return False
    looks_like_people = isinstance(value, dict) and all(not isinstance(each, (str, list)) for each in value.values())
    return looks_like_people or not meant


def _people(document: Mapping[str, Node], role: str) -> dict[str, Person]:
    people: dict[str, Person] = {}
    for name, entry in mapping_in(document, role).items():
        if not name:
            raise WrongShape((role,), "a user name is empty")
        if entry is None:
            people[name] = Person()
            continue
        if not isinstance(entry, Mapping):
            wanted = "`first_name`, `last_name` and `email` on lines of their own, or nothing, are expected"
            raise WrongShape((role, name), f"below {name!r}, {wanted}")
        people[name] = Person(
            first_name=text_in(entry, "first_name", role, name),
            last_name=text_in(entry, "last_name", role, name),
            email=text_in(entry, "email", role, name),
            more=unknown_keys(entry, PERSON_KEYS),
        )
    return people


def _entry(person: Person) -> dict[str, object]:
    entry: dict[str, object] = {key: value for key in PERSON_KEYS if (value := getattr(person, key)) is not None}
    entry.update(person.more)
    return entry
