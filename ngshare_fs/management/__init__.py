"""Courses and their rosters by command line, against a server, as the signed-in user."""
