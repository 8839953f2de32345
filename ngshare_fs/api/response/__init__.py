"""What leaves: directory trees, streamed or kept ready."""
