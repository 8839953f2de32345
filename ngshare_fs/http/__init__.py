"""What the API and the pages both say over HTTP: every refusal, as an answer; and where a request came from."""
