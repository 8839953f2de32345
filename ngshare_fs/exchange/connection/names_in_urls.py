"""Names of courses, assignments and people as parts of a URL."""

from urllib.parse import quote

from ngshare_fs.exchange.failures.problems import ServerProblem


def quoted(name: str) -> str:
    """A name as a segment of a path.

    Raises:
        ServerProblem: no URL can have it.
    """
    if name in ("", ".", ".."):
        # However they are quoted, clients and proxies make the path above of them: `course/..` would be another call.
        raise ServerProblem(f"Nothing can be called {name!r}, since no URL can have that name: look at its spelling.")
    check_text(name)
    return quote(name, safe="")


def check_text(name: str) -> None:
    """Refuse what no server could understand.

    Raises:
        ServerProblem: it has bytes that are no UTF-8, as a command line may have them.
    """
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise ServerProblem(f"{name!a} is no UTF-8 text, as names on the server are: look at its spelling.") from None
