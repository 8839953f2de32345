"""What was handed in to an assignment, as a zip: which submissions, with feedback or without, and how large it gets."""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ngshare_fs.access.permission import Who
from ngshare_fs.store import Submission, Timestamp, feedback, submission
from ngshare_fs.store.errors import BrokenManifest, concerns_one_place
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.instructor.class_work.class_table import CLASS
from ngshare_fs.web.untrusted.class_work import Which, chosen

# To read the manifests of a whole class would take longer than the page may: of more trees, the size is estimated.
MOST_READ = 100

Tree = TypeVar("Tree")


@dataclass(frozen=True)
class Offer:
    """A zip that somebody may have.

    Args:
        which: the submissions that go in.
        students, submissions: how many there are.
        size: about what their files take, before they are packed.
        feedback: on how many of them there is some.
        feedback_size: about what the newest of it takes.
    """

    which: str
    students: int
    submissions: int
    size: int
    feedback: int
    feedback_size: int


def read(visit: Visit) -> Mapping[str, Any]:
    """The zips that there are."""
    given = feedback.given_on(*visit.asking.work, submission.submissions_to(*visit.asking.work))
    offers, is_in_time_unknown = [], False
    for which in Which:
        try:
            offers.append(_offer(visit, which, given))
        except BrokenManifest:
            # Nobody can say when it was due; what was handed in can be had all the same.
            is_in_time_unknown = True
    return {
        "course": visit.course,
        "assignment": visit.assignment,
        "offers": offers,
        "is_in_time_unknown": is_in_time_unknown,
        "is_empty": not any(offer.submissions for offer in offers),
        "is_estimated": any(max(offer.submissions, offer.feedback) > MOST_READ for offer in offers),
    }


def _offer(visit: Visit, which: Which, given: Mapping[Submission, Timestamp]) -> Offer:
    """A zip.

    Args:
        given: when the newest feedback was given, on each submission that has some.
    """
    work = visit.asking.work
    found = chosen(*work, which)
    with_feedback = [(each, given[each]) for each in found if each in given]

    def size_of_feedback(each: tuple[Submission, Timestamp]) -> int:
        return feedback.size_of(*work, *each[0], each[1])

    return Offer(
        which.value,
        len({each.student for each in found}),
        len(found),
        _size(found, lambda each: submission.size_of(*work, *each)),
        len(with_feedback),
        _size(with_feedback, size_of_feedback),
    )


def _size(trees: Sequence[Tree], size_of: Callable[[Tree], int]) -> int:
    """What trees take together: of many, as much for each as those take that are looked at, spread over all."""
    step = max(len(trees) / MOST_READ, 1.0)
    sizes = list(_known(size_of, (trees[int(number * step)] for number in range(min(len(trees), MOST_READ)))))
    return sum(sizes) * len(trees) // max(min(len(trees), MOST_READ), 1)


def _known(size_of: Callable[[Tree], int], trees: Iterable[Tree]) -> Iterable[int]:
    """The sizes of those of which somebody can say it; a damaged tree is left out of the zip, too."""
    for each in trees:
        with contextlib.suppress(BrokenManifest):
            try:
                yield size_of(each)
            except OSError as error:
                if not concerns_one_place(error):
                    raise


COLLECT = Page("pages/collect/{course}/{assignment}", Who.GRADER, "collect", read, under=CLASS)
