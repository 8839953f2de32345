"""Formgrader keeps one gradebook open, even when it goes on to another course."""

import logging
from typing import Any

from sqlalchemy.engine import make_url


def forget_other_gradebook(coursedir: Any, log: logging.Logger) -> None:
    """Have formgrader open the gradebook of its present course, where it still has that of the course before.

    In nbgrader 0.9.6 it changes the course without a restart (`Formgrader (local)`, of the folder that is open). It
    would go on showing, and grading in, the gradebook that it opened first.

    Args:
        coursedir: nbgrader's `CourseDirectory`; nothing is done where that is not formgrader's.
        log: told of it.
    """
    # Formgrader is the course directory's parent, and its own is the Jupyter server.
    server = getattr(getattr(coursedir, "parent", None), "parent", None)
    settings = getattr(getattr(server, "web_app", None), "settings", {})
    gradebook = settings.get("nbgrader_gradebook")
    if gradebook is None or gradebook.engine.url == make_url(coursedir.db_url):
        return
    log.info("formgrader opens the gradebook %s", coursedir.db_url)
    settings["nbgrader_gradebook"] = None
    gradebook.close()
