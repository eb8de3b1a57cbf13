"""The demo county 示例县 (990101, no real place): its data, its days, and how all of it is played and counted."""
