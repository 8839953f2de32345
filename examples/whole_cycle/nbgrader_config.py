# mypy: ignore-errors
"""What nbgrader needs to use the server at $NGSHARE_URL; everybody has a copy in ~/.jupyter."""

from ngshare_fs.exchange import configure_exchange

c = get_config()  # noqa: F821 - nbgrader puts it there
configure_exchange(c)
