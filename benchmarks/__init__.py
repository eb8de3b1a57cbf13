"""Speed and quality, each against peers."""
