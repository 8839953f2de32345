"""All endpoints in one table."""

from ngshare_fs.api import assignments, courses, debug, listing, rosters, submissions
from ngshare_fs.api.call import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *courses.ENDPOINTS,
    *listing.ENDPOINTS,
    *rosters.ENDPOINTS,
    *assignments.ENDPOINTS,
    *submissions.ENDPOINTS,
    *debug.ENDPOINTS,
)
