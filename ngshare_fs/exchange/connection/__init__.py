"""The connection to the server: where it is, requests that outlast its restart, and the API's calls."""
