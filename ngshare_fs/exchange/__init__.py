"""nbgrader's exchange over HTTP: plug-ins for nbgrader that speak the REST API.

Two lines in `nbgrader_config.py` select them:

    from ngshare_fs.exchange import configure_exchange
    configure_exchange(c)

Every command imports all seven plug-ins, so what an import costs, each of them pays. That is why values in here are
`NamedTuple`s: Python needs a seventh of the time to make the class that it needs for a frozen dataclass.
"""

from typing import Any

from ngshare_fs.exchange.failures.problems import ServerProblem

__all__ = ["ServerProblem", "configure_exchange"]

# The traits of nbgrader's ExchangeFactory, and the classes for them. They bear the names of nbgrader's own, so that its
# options (`nbgrader list --inbound`) and older configurations find them.
PLUG_INS = {
    "exchange": "ngshare_fs.exchange.base.Exchange",
    "release_assignment": "ngshare_fs.exchange.release_assignment.ExchangeReleaseAssignment",
    "fetch_assignment": "ngshare_fs.exchange.fetch_assignment.ExchangeFetchAssignment",
    "submit": "ngshare_fs.exchange.submit.ExchangeSubmit",
    "collect": "ngshare_fs.exchange.collect.ExchangeCollect",
    "list": "ngshare_fs.exchange.list_files.ExchangeList",
    "release_feedback": "ngshare_fs.exchange.release_feedback.ExchangeReleaseFeedback",
    "fetch_feedback": "ngshare_fs.exchange.fetch_feedback.ExchangeFetchFeedback",
}


def configure_exchange(c: Any, url: str | None = None) -> None:
    """Have nbgrader exchange files over HTTP.

    Args:
        c: the configuration, as `get_config()` gives it.
        url: of the server, with its prefix: `http://proxy-public/services/ngshare/`. Left out, it is `$NGSHARE_URL`, or
            the service `ngshare` of the hub that runs this user's server.
    """
    for trait, plug_in in PLUG_INS.items():
        setattr(c.ExchangeFactory, trait, plug_in)
    if url is not None:
        c.Exchange.url = url
