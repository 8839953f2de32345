"""The JupyterHub that says who somebody is. It knows nothing of courses, and of HTTP only what the hub speaks."""

from ngshare_fs.hub.account import Account
from ngshare_fs.hub.client import HubClient, HubDown, Rejected
from ngshare_fs.hub.tokens import Tokens

__all__ = ["Account", "HubClient", "HubDown", "Rejected", "Tokens"]
