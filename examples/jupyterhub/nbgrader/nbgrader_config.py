# mypy: ignore-errors
"""What nbgrader needs in every user's server: it uses the exchange at $NGSHARE_URL, with the server's own token."""

from ngshare_fs.exchange import configure_exchange

c = get_config()  # noqa: F821 - nbgrader puts it there
configure_exchange(c)
