"""What somebody can be in a course."""

import enum


class Role(enum.Enum):
    """What somebody is in a course, the highest first; the value is the word that the API has for it."""

    INSTRUCTOR = "instructor"
    GRADER = "grader"
    STUDENT = "student"

    @property
    def key(self) -> str:
        """The key of their list in `course.yaml`."""
        return self.value + "s"
