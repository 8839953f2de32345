"""How the server is to run: the table of options, and where their values come from."""
