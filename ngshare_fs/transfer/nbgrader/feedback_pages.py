"""The pages of feedback in a course's folder, and whose they are.

Their names are hashes; which submission a page belongs to can only be found by computing the names that its notebooks
may have. Three ways to name them have been in use, and nbgrader looks for each.
"""

import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field

from ngshare_fs.store import FEEDBACK as KIND
from ngshare_fs.transfer.account import Account
from ngshare_fs.transfer.nbgrader.names_in_exchange import (
    FEEDBACK,
    NOTEBOOK,
    PAGE,
    SubmissionName,
    page_by_secret,
    pages_by_content,
)
from ngshare_fs.transfer.nbgrader.shared_folder import SharedFolder

_PAGE = re.compile(f"([0-9a-f]{{32}}){re.escape(PAGE)}")
# So many names in a message; there may be thousands.
NAMED = 5


@dataclass
class Pages:
    """The pages of a course.

    Args:
        changed: by hash, when each was last changed, in nanoseconds since 1970.
        used: the hashes of those whose owner is known.
        unknown: the names of those whose name is no hash.
    """

    changed: dict[str, int] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)

    @property
    def left(self) -> list[str]:
        """The names of those that belong to nothing that was found."""
        return sorted([*self.unknown, *(page + PAGE for page in self.changed.keys() - self.used)])

    def find_by_secret(self, secret: bytes, notebooks: Iterable[str]) -> dict[str, str]:
        """The pages on a submission, by notebook.

        Args:
            secret: of the submission.
            notebooks: names without endings.
        """
        found = {}
        for notebook in notebooks:
            page = page_by_secret(secret, notebook)
            if page in self.changed:
                found[notebook] = page
        self.used.update(found.values())
        return found

    def find_by_content(
        self, shared: SharedFolder, way: tuple[str, ...], name: SubmissionName, course: str, notebooks: Iterable[str]
    ) -> dict[str, str]:
        """The same, by the two older ways.

        Args:
            shared: the exchange folder.
            way: to the submission's folder in it.
            name: what the name of that says.
            course: its course.
            notebooks: names without endings.
        """
        found = {}
        for notebook in notebooks:
            try:
                with shared.open_file(*way, notebook + NOTEBOOK) as content:
                    candidates = pages_by_content(content, name, course, notebook)
            except OSError:
                continue  # it is reported with its tree
            pages = [each for each in candidates if each in self.changed]
            self.used.update(pages)
            if pages:
                found[notebook] = pages[0]
        return found


def pages_of(shared: SharedFolder, course: str, account: Account) -> Pages:
    """The pages of a course; what is no page is reported."""
    pages = Pages()
    try:
        with shared.entered(course, FEEDBACK) as folder:
            for name in folder.names():
                status = folder.status(name)
                is_page = _PAGE.fullmatch(name)
                if status is None:
                    continue
                if not stat.S_ISREG(status.st_mode) or is_page is None:
                    pages.unknown.append(name)
                else:
                    pages.changed[is_page[1]] = status.st_mtime_ns
    except FileNotFoundError:
        pass  # no feedback was ever given
    except OSError as error:
        account.report("unreadable", (course, FEEDBACK), f"cannot be read: {error.strerror}")
    return pages


def report_left(pages: Pages, course: str, account: Account) -> None:
    """Report the pages whose submission is not in the exchange folder."""
    left = pages.left
    if left:
        account.count(course, KIND, left_out=len(left))
        more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
        account.report(
            "feedback-unmatched",
            (course, FEEDBACK),
            f"{', '.join(left[:NAMED])}{more}: on no submission that is here, so nobody could fetch it; left out",
        )
