"""Nothing acknowledged is lost: crashes, power cuts and broken disks, with the real server on real disks."""
