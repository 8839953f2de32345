"""What is different inside a Jupyter server, and in its formgrader."""
