"""Checks of a volume: all that is on it (`verify`), and whether a folder can be one (`doctor`)."""
