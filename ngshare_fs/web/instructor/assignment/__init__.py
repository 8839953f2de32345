"""Managing an assignment: releases, dates, more time for single students."""
