"""The REST API of ngshare over the store, on aiohttp."""

from ngshare_fs.api.application import make_application

__all__ = ["make_application"]
