"""A course in one file: `.tar.zst`, readable with tar alone, checked whole when it is written and when it is read."""
