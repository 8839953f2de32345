"""Pages for admins: all courses, the volume, whether all is well, who did what, the trash."""
