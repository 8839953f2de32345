"""What arrives: arguments and directory trees, understood as they come, within bounds for all requests together."""
