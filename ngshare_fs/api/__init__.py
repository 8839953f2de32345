"""The REST API of ngshare over the store, on aiohttp."""
