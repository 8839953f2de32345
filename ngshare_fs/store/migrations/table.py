"""All migrations, the oldest first: one for each layout but the first.

Whoever makes a layout writes a module for its migration beside this one, enters it here, raises `LAYOUT` in
`format.layout`, and adds an example of the layout to `tests/volumes_of_layouts/`. Entries stay for good, as do the
examples: each later program opens all of them.
"""

from ngshare_fs.store.migrations import dates
from ngshare_fs.store.migrations.migration import Migration

MIGRATIONS: tuple[Migration, ...] = (dates.MIGRATION,)
