"""nbgrader's own tests of its exchange, unchanged, against the plug-ins and a running server."""
