"""The declaration of what can be called: routing, permissions, the OpenAPI document and the tests read it."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ngshare_fs.access.permission import Conditions, Who
from ngshare_fs.api.call import Answer, Call
from ngshare_fs.http.refusals import Refusal

# An argument that is a text, or JSON: a roster of 20,000.
LONGEST_TEXT = 64 * 1024
LONGEST_JSON = 4 * 2**20


class Pool(enum.Enum):
    """Where an action runs, so that nobody waits for what others do; see `Blocking`. The value says what it does."""

    READS = "reads"
    WRITES_WORK = "writes a student's work"
    MANAGES = "manages"


@dataclass(frozen=True)
class Argument:
    """An argument of an endpoint.

    Args:
        name: its name.
        schema: JSON Schema of its value, of the decoded value where `is_json`.
        description: for the OpenAPI document.
        required: whether it has to be there.
        is_json: whether it is JSON in a text.
    """

    name: str
    schema: Mapping[str, Any]
    description: str
    required: bool = True
    is_json: bool = False

    @property
    def longest(self) -> int:
        """How many bytes of it are taken; the content of `files` goes to the volume, and has bounds of its own."""
        return LONGEST_JSON if self.is_json else LONGEST_TEXT


@dataclass(frozen=True)
class Endpoint:
    """What can be called: the one declaration that serves routing, permissions, the OpenAPI document and the tests.

    Args:
        method: HTTP method.
        path: below the prefix, with `{course}`, `{assignment}` and `{user}`.
        who: who may call it.
        pool: where it runs, by what it does to the volume; the method does not say: some POSTs only read.
        summary: one line.
        action: does it, after the checks; blocking.
        arguments: in the order of their checks.
        refusals: what else it may answer, in the order of the checks.
        answer: JSON Schemas of what the answer has beside `success`.
        at_times: the same of what it has only at times.
        new_course: the course must not be there yet; the action checks that.
        new_assignment: the same of the assignment.
        only_open: to students, an assignment that is withdrawn is none.
        counts_for_student: what is stored counts for the quota of a student.
        of_student: the user in the path has to be a student, or to have handed in.
        in_lines: the answer is a line of JSON per tree, and a last one: see `TreesAnswer`.
        tagged: the answer has an `ETag`, and is left out where the client has it already.
        is_page: opened by hand in a browser, and may answer with a page; stand-alone, the user is `user` unless named.
    """

    method: str
    path: str
    who: Who
    pool: Pool
    summary: str
    action: Callable[[Call], Answer]
    arguments: tuple[Argument, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    answer: Mapping[str, Any] = field(default_factory=dict)
    at_times: Mapping[str, Any] = field(default_factory=dict)
    new_course: bool = False
    new_assignment: bool = False
    only_open: bool = False
    counts_for_student: bool = False
    of_student: bool = False
    in_lines: bool = False
    tagged: bool = False
    is_page: bool = False

    @cached_property
    def wanted(self) -> dict[str, int]:
        """Its arguments, and how many bytes each may have."""
        return {argument.name: argument.longest for argument in self.arguments}

    @cached_property
    def conditions(self) -> Conditions:
        """What is checked before it is done."""
        return Conditions(
            self.who,
            course="{course}" in self.path and not self.new_course,
            assignment="{assignment}" in self.path and not self.new_assignment,
            of_student=self.of_student,
            only_open=self.only_open,
            writes=self.writes,
        )

    @property
    def stores_files(self) -> bool:
        """Whether it stores a directory tree."""
        return self.writes and "files" in self.wanted

    @property
    def writes(self) -> bool:
        """Whether it changes the volume."""
        return self.pool is not Pool.READS
