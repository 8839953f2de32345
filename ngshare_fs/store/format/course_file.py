"""`course.yaml`: who teaches, who grades and who takes a course. People edit it by hand, and servers change it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import Node, WrongShape, mapping_in, text_in
from ngshare_fs.store.format import course_groups, course_rules
from ngshare_fs.store.format.course_groups import CourseGroups
from ngshare_fs.store.format.course_rules import NO_RULES, CourseRules
from ngshare_fs.store.format.role import Role
from ngshare_fs.store.format.unknown_keys import Misspelt, misspelt, unknown_keys

PERSON_KEYS = ("first_name", "last_name", "email")
ROLES = tuple(role.key for role in Role)
COURSE_KEYS = ("course", *ROLES)
SOURCE_KEY = "from"
# Of an entry that is there since a group of the hub has this person.
FROM_GROUP = "group"


@dataclass(frozen=True)
class Person:
    """An entry of a roster; None is what nobody has set.

    Args:
        more: what else somebody wrote into the entry; kept as it is.
        source: `FROM_GROUP` where the entry is there since a group of the hub has this person. Then it gives no role:
            the group does, as long as they are in it.
    """

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    more: Mapping[str, Node] = field(default_factory=dict)
    source: str | None = None


@dataclass(frozen=True)
class Roster:
    """The people of a course by user name. Where two lists have somebody, the higher role counts.

    Args:
        course: the course's full name.
        more: what else somebody wrote into the file; kept as it is, the rules and the groups too.
        rules: what the rules among it mean.
        graders: those who grade and do not teach.
        groups: the hub's groups that it names; None where it leaves that to the server.
    """

    course: str
    instructors: Mapping[str, Person]
    students: Mapping[str, Person]
    more: Mapping[str, Node] = field(default_factory=dict)
    rules: CourseRules = NO_RULES
    graders: Mapping[str, Person] = field(default_factory=dict)
    groups: CourseGroups | None = None

    def __contains__(self, user: str) -> bool:
        """Whether somebody is on the roster, be it since a group has them."""
        return user in self.students or user in self.instructors or user in self.graders

    def people(self, role: Role) -> Mapping[str, Person]:
        """Those with a role."""
        return role.pick(self.instructors, self.graders, self.students)

    def with_people(self, role: Role, people: Mapping[str, Person]) -> "Roster":
        """The same roster, but for the list of a role."""
        match role:
            case Role.INSTRUCTOR:
                return replace(self, instructors=people)
            case Role.GRADER:
                return replace(self, graders=people)
            case Role.STUDENT:
                return replace(self, students=people)

    def without(self, user: str) -> "Roster":
        """The same roster, but for somebody's entries."""
        found = self
        for role in Role:
            if user in (people := self.people(role)):
                found = found.with_people(role, {name: person for name, person in people.items() if name != user})
        return found

    def users(self) -> set[str]:
        """Everybody on it."""
        return {*self.instructors, *self.graders, *self.students}

    def named_role(self, user: str) -> Role | None:
        """What the roster itself says that somebody is; an entry that a group has brought says nothing."""
        if (person := self.instructors.get(user)) is not None and person.source is None:
            return Role.INSTRUCTOR
        if (person := self.graders.get(user)) is not None and person.source is None:
            return Role.GRADER
        if (person := self.students.get(user)) is not None and person.source is None:
            return Role.STUDENT
        return None

    def listed(self, role: Role) -> dict[str, Person]:
        """Those with a role, but for whom a group has brought and another list has by name: that one counts."""
        people = self.people(role)
        return {user: entry for user, entry in people.items() if entry.source is None or not self.named_role(user)}

    def to_yaml(self) -> bytes:
        """The text of `course.yaml`."""
        document: dict[str, object] = {"course": self.course}
        for role in Role:
            people = self.people(role)
            # A file without graders stays as it always was.
            if people or role is not Role.GRADER:
                document[role.key] = {name: _entry(person) for name, person in people.items()}
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
        # Many a course has no graders, so that none are missed where `grades:` stands.
        are_missed = found.meant != Role.GRADER.key and not document.get(found.meant)
        if _loses_people(document[found.key], are_missed):
            # `student:` and people below it: without a word, the course would be without them.
            raise WrongShape((found.key,), str(found))
    return Roster(
        course=course,
        instructors=_people(document, Role.INSTRUCTOR.key),
        graders=_people(document, Role.GRADER.key),
        students=_people(document, Role.STUDENT.key),
        more=unknown_keys(document, COURSE_KEYS),
        rules=course_rules.understand(document),
        groups=course_groups.understand(document),
    )


def misspelt_keys(roster: Roster) -> Iterator[Misspelt]:
    """The keys of a file that was understood which mean nothing, and look as if they should."""
    yield from misspelt(roster.more, (*ROLES, *course_rules.KEYS, course_groups.GROUPS))
    yield from course_rules.misspelt_keys(roster.more)
    for role in Role:
        for user, person in roster.people(role).items():
            yield from misspelt(person.more, (*PERSON_KEYS, SOURCE_KEY), (role.key, user))


def _loses_people(value: Node, are_missed: bool) -> bool:
    """Whether people may stand under a key that means nothing: `instructions:` is near to `instructors:`, but none.

    Args:
        are_missed: whether nobody stands under the key that it looks like, where somebody should.
    """
    if isinstance(value, str) or not value:
        return False
    looks_like_people = isinstance(value, dict) and all(not isinstance(each, (str, list)) for each in value.values())
    return looks_like_people or are_missed


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
        is_from_group = entry.get(SOURCE_KEY) == FROM_GROUP
        people[name] = Person(
            first_name=text_in(entry, "first_name", role, name),
            last_name=text_in(entry, "last_name", role, name),
            email=text_in(entry, "email", role, name),
            more=unknown_keys(entry, (*PERSON_KEYS, SOURCE_KEY) if is_from_group else PERSON_KEYS),
            source=FROM_GROUP if is_from_group else None,
        )
    return people


def _entry(person: Person) -> dict[str, object]:
    entry: dict[str, object] = {key: value for key in PERSON_KEYS if (value := getattr(person, key)) is not None}
    if person.source is not None:
        entry[SOURCE_KEY] = person.source
    entry.update(person.more)
    return entry
