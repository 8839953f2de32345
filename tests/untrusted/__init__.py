"""What others wrote: shown where it can do nothing, and handed out as files."""
