"""What can be called: a module for each word of the API, and the table of them all."""
