"""What people at a terminal read and answer: log lines, what commands print, questions."""
