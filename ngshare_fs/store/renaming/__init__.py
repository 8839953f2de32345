"""Names that change later, in all that a volume has: of courses, of users, and of those who are to be forgotten."""
