"""What somebody can be in a course."""

import enum
from typing import TypeVar

Part = TypeVar("Part")


class Role(enum.Enum):
    """What somebody is in a course, the highest first; the value is the word that the API has for it."""

    INSTRUCTOR = "instructor"
    GRADER = "grader"
    STUDENT = "student"

    @property
    def key(self) -> str:
        """The key of their list in `course.yaml`."""
        return self.value + "s"

    def pick(self, instructors: Part, graders: Part, students: Part) -> Part:
        """What belongs to this role, of what there is for each."""
        match self:
            case Role.INSTRUCTOR:
                return instructors
            case Role.GRADER:
                return graders
            case Role.STUDENT:
                return students
