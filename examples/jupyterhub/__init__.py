"""A hub with the exchange, nbgrader and users, to try it all in a browser: `./examples/jupyterhub/start`."""
