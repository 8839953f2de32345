"""Formats of bytes and text, read as they arrive: nothing in here knows what they are used for."""
