"""What a class has handed in, as one zip with a table of all that is in it."""

from ngshare_fs.access.permission import Who
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.web.frame.download import Download, Zip
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.texts.catalogue import catalogue
from ngshare_fs.web.untrusted.class_work import Which, class_work
from ngshare_fs.web.untrusted.trees_in_zip import zip_of_parts

WHICH, WITH_FEEDBACK = "which", "feedback"


def opens(visit: Visit) -> Zip:
    """The submissions that the address asks for; the newest ones where it does not say."""
    try:
        which = Which(visit.query.get(WHICH, Which.NEWEST.value))
    except ValueError:
        raise Refused(refusals.UNKNOWN_PATH) from None
    with_feedback = visit.query.get(WITH_FEEDBACK) == "1"
    parts = class_work(*visit.asking.work, which, with_feedback)
    said = f"{which.value}, feedback" if with_feedback else which.value
    # Whoever takes the work of a whole class with them is to be found in the journal.
    visit.note("collect-as-zip", said, is_read=True)
    explanation = str(catalogue(visit.language)("class-zip.problem"))
    return Zip(f"{visit.course} {visit.assignment} {which.value}.zip", zip_of_parts(parts, explanation))


CLASS_ZIP = Download("pages/class-zip/{course}/{assignment}", Who.GRADER, opens)
