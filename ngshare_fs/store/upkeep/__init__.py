"""What whoever keeps a volume wants of it: what takes how much room, what lies in the trash, what is old."""
