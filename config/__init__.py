"""Settings and shipped data files, and the only code that reads them or the environment."""
