"""What a write needs: a place to stage, locks, and what has to be flushed when."""
