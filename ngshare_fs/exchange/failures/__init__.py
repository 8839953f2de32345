"""What can go wrong with an exchange, in words that say what to do."""
