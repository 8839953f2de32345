"""An nbgrader exchange as an HTTP server on a plain directory tree."""

__version__ = "0.1.0"
