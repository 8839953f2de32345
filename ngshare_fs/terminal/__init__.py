"""What people at a terminal read and answer: log lines, the results of checks, questions."""
