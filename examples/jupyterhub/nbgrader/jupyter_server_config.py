# mypy: ignore-errors
"""Formgrader is a page within JupyterLab's, and a hub lets nobody put a page of a user's server into another."""

c = get_config()  # noqa: F821 - the server puts it there
c.ServerApp.tornado_settings = {"headers": {"Content-Security-Policy": "frame-ancestors 'self'"}}
