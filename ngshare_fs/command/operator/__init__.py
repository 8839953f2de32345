"""What whoever keeps a volume does to it, with or without a server: a module for each command."""
