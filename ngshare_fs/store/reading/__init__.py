"""What has been read of the volume, kept in memory and checked at each use."""
