"""Requests that only look whether somebody is there."""

from aiohttp import web

# A request has this where it was a mere look whether somebody is there and all is well, which is not worth a line in
# the log each time: a pod's probes come 26,000 times a day.
MERE_LOOK = web.RequestKey("ngshare_fs.mere_look", bool)
