"""Crashes, power cuts and broken disks, with the real server on disks of the tests' own."""
