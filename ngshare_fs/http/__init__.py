"""What the API and the pages both say over HTTP: every refusal, as an answer; and what the log says of a request."""
