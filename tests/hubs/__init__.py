"""The server as a service of real JupyterHubs, used with real tokens and with a real browser."""
