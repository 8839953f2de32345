"""The chart and the image on a real Kubernetes node; run with `--kubernetes`, as root."""
