"""What a folder lies on, and what is known of file systems of that type; nothing here knows of volumes."""
