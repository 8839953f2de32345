"""Courses in and out by command: archives, other exchanges. A module for each command or source."""
