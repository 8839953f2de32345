"""Courses on their way into a volume and out of it: as archives, and from other programs and to them."""
