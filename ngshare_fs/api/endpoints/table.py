"""All endpoints in one table."""

from ngshare_fs.api.endpoint import Endpoint
from ngshare_fs.api.endpoints import assignments, courses, dates, debug, listing, rosters, submissions

ENDPOINTS: tuple[Endpoint, ...] = (
    *courses.ENDPOINTS,
    *listing.ENDPOINTS,
    *rosters.ENDPOINTS,
    *assignments.ENDPOINTS,
    *dates.ENDPOINTS,
    *submissions.ENDPOINTS,
    *debug.ENDPOINTS,
)
