"""All pages, and what else they hand out."""

from ngshare_fs.web.download import Download
from ngshare_fs.web.home import HOME
from ngshare_fs.web.page import Page
from ngshare_fs.web.student.assignment import ASSIGNMENT
from ngshare_fs.web.student.course import COURSE
from ngshare_fs.web.student.hand_in import HAND_IN
from ngshare_fs.web.student.release_file import RELEASE_FILE

PAGES: tuple[Page, ...] = (
    HOME,
    COURSE,
    ASSIGNMENT,
    HAND_IN,
)  # fmt: skip
DOWNLOADS: tuple[Download, ...] = (
    RELEASE_FILE,
)  # fmt: skip
