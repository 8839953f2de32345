# mypy: ignore-errors
"""What nbgrader needs in every user's server: the exchange is where $NGSHARE_URL or the hub's proxy leads."""

from ngshare_fs.exchange import configure_exchange

c = get_config()  # noqa: F821 - nbgrader puts it there
configure_exchange(c)
