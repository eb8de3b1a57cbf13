"""CAP 1.2: official warnings from feeds and files."""
