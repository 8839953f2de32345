"""The image, built from its Dockerfile as it is and run as an orchestrator runs it. Needs root and podman."""
