"""Patterns for the names of groups that belong to a course, such as `formgrade-{course}`."""

from dataclasses import dataclass

COURSE = "{course}"


@dataclass(frozen=True)
class GroupPattern:
    """A rule for the names of groups: what stands in the place of `{course}` is the name of a course.

    It fits a group in one way or not at all, and whether there is that course is not its affair.

    Args:
        before, after: what stands before and behind the course.
    """

    before: str
    after: str

    def course_of(self, group: str) -> str | None:
        """The course that a group belongs to; None where its name is of another form."""
        if not group.startswith(self.before) or not group.endswith(self.after):
            return None
        # Empty also where `before` and `after` would have to share letters.
        return group[len(self.before) : len(group) - len(self.after)] or None

    def group_of(self, course: str) -> str:
        """The name of the group that belongs to a course."""
        return self.before + course + self.after

    def takes_all_of(self, other: "GroupPattern") -> bool:
        """Whether each group that another pattern fits is one of this pattern too, then of a course of longer name."""
        fits = other.before.startswith(self.before) and other.after.endswith(self.after)
        return fits and other != self

    def __str__(self) -> str:
        return self.group_of(COURSE)


def group_pattern_in(text: str) -> GroupPattern:
    """The pattern that somebody wrote.

    Raises:
        ValueError: it is none; the text says why.
    """
    parts = text.split(COURSE)
    if len(parts) == 1:
        raise ValueError(
            f"{text!r} does not say of which course the group is: {COURSE} has to stand in it, as in "
            f"nbgrader-{COURSE}; the groups of a single course are named below `groups:` in its course.yaml"
        )
    if len(parts) > 2:
        raise ValueError(f"{text!r} has {COURSE} more than once, and a group is of one course")
    return GroupPattern(*parts)
