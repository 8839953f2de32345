"""The signals by which a terminal, an operator or a service manager tells a process to end or to start anew."""

import signal

CONTROL_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
