"""HJ 212 (2005, 2017, 2025): environmental stations over TCP."""
