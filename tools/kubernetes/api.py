"""Calls to the node's own API server."""

import http.client
import json
import ssl
from typing import Any

ADDRESS = "10.99.0.1"
PORT = 6443
TIMEOUT_SECONDS = 10


class ApiError(Exception):
    """The API server refused, or did not answer."""


class Api:
    """A connection that is opened again where it was lost."""

    def __init__(self, token: str, authority: str) -> None:
        """Args:
        token: of an administrator.
        authority: the file with the certificate that the API server's is signed by.
        """
        self._token = token
        self._authority = authority
        self._connection: http.client.HTTPSConnection | None = None

    def get(self, path: str) -> Any:
        """Return what is there.

        Raises:
            ApiError: see there.
        """
        return self.call("GET", path)

    def items(self, path: str) -> list[dict[str, Any]]:
        """Return the objects of a list.

        Raises:
            ApiError: see there.
        """
        found: list[dict[str, Any]] = self.get(path)["items"]
        return found

    def call(self, method: str, path: str, body: object = None, content_type: str = "application/json") -> Any:
        """Return the answer: an object if it is JSON, else text.

        Raises:
            ApiError: see there.
        """
        try:
            if self._connection is None:
                context = ssl.create_default_context(cafile=self._authority)
                self._connection = http.client.HTTPSConnection(ADDRESS, PORT, timeout=TIMEOUT_SECONDS, context=context)
            headers = {"Authorization": f"Bearer {self._token}", "Content-Type": content_type}
            self._connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = self._connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self._connection = None
            raise ApiError(f"{method} {path}: {error!r}") from error
        if response.status >= 400:
            raise ApiError(f"{method} {path}: {response.status} {text}")
        return json.loads(text) if text.startswith("{") else text
