"""What the buttons of nbgrader's extensions do, in nbgrader's environment: `python use_extensions.py WORD...`.

The Assignment List and formgrader call these objects of nbgrader's, and show what they return; it is printed as JSON.
"""

import json
import os
import sys
from typing import Any

from nbgrader.apps import NbGrader
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.server_extensions.assignment_list.handlers import AssignmentList


def assignment_list(action: str, *arguments: str) -> Any:
    """A button of the Assignment List."""
    extension = AssignmentList()
    extension.root_dir = os.getcwd()
    return getattr(extension, action)(*arguments)


def formgrader(action: str, *arguments: str) -> Any:
    """A button of formgrader."""
    app = NbGrader()
    app.config_file_paths.append(os.getcwd())
    app.load_config_file()
    api = NbGraderAPI(CourseDirectory(config=app.config), parent=app)
    found = getattr(api, action)(*arguments)
    return sorted(found) if isinstance(found, set) else found


if __name__ == "__main__":
    which, *words = sys.argv[1:]
    result = {"assignment-list": assignment_list, "formgrader": formgrader}[which](*words)
    print(json.dumps(result))
