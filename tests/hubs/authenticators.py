"""Reads a configuration as a JupyterHub does, in the environment that has it, and tells as JSON what came of it.

`python authenticators.py FILE WHAT`: which groups somebody has after signing in (`oauth`, `lti`), or what the hub has
loaded (`groups`, `roles`).
"""

import asyncio
import json
import logging
import sys
from types import SimpleNamespace
from typing import Any

from jupyterhub.app import JupyterHub  # type: ignore[import-not-found]

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"


class Complaints(logging.Handler):
    """What was logged as a warning, or worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


async def oauth(authenticator: Any) -> Any:
    """Sign in, as the identity provider says."""
    answer = {"preferred_username": "Ada", "given_name": "Ada", "email": "a@b", "groups": ["nbgrader-NBG 101", "staff"]}

    async def told(*_: Any, **__: Any) -> Any:
        return answer

    authenticator.token_to_user = told
    authenticator.get_token_info = told
    authenticator.build_token_info_request_params = lambda *_: {}
    authenticator.authenticate = lambda handler, data=None: authenticator._token_to_auth_model({"access_token": "t"})
    return await authenticator.get_authenticated_user(None, None)


async def lti(authenticator: Any) -> Any:
    """Launch from one course after the other; the groups that each leaves."""
    groups: set[str] = {"others"}
    seen: list[Any] = []

    def find_user(name: str) -> Any:
        return SimpleNamespace(groups=[SimpleNamespace(name=each) for each in groups]) if seen else None

    handler = SimpleNamespace(find_user=find_user)
    launches = [
        ("math", [f"{MEMBERSHIP}#Learner"]),
        ("art", [f"{MEMBERSHIP}#Instructor"]),
        ("math", [f"{MEMBERSHIP}#Instructor", f"{MEMBERSHIP}/Instructor#TeachingAssistant"]),
        ("art", [f"{MEMBERSHIP}#Mentor"]),
    ]
    for label, roles in launches:
        claims = {"sub": "Ada", f"{CLAIM}context": {"id": "4711", "label": label}, f"{CLAIM}roles": roles}
        signed_in = await authenticator.get_authenticated_user(handler, claims)
        groups = set(signed_in["groups"])
        seen.append(signed_in)
    nowhere = await authenticator.get_authenticated_user(handler, {"sub": "Ada"})
    return [sorted(each["groups"]) for each in [*seen, nowhere]]


async def groups(app: Any) -> Any:
    """Load the groups into an empty database."""
    from jupyterhub import orm  # type: ignore[import-not-found]

    app.db_url = "sqlite:///:memory:"
    app.init_db()
    app.authenticator = app.authenticator_class(parent=app, _deprecated_db_session=app.db)
    await app.init_role_creation()
    await app.init_groups()
    return {group.name: sorted(user.name for user in group.users) for group in app.db.query(orm.Group)}


def main() -> None:
    """Do it."""
    file, what = sys.argv[1:]
    complaints = Complaints()
    app = JupyterHub()
    app.log.addHandler(complaints)
    app.load_config_file(file)
    found: Any
    if what == "roles":
        found = app.load_roles
    elif what == "groups":
        found = asyncio.run(groups(app))
    else:
        authenticator = app.authenticator_class(parent=app)
        found = {
            "groups": asyncio.run(oauth(authenticator) if what == "oauth" else lti(authenticator)),
            "manages": authenticator.manage_groups,
        }
    print(json.dumps({"found": found, "complaints": complaints.texts}, default=str))


if __name__ == "__main__":
    main()
