"""The examples of monitoring, with a real Prometheus where there is one."""
