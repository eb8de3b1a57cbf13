"""One series at a time: guards, limits, the learned score, roll-ups; as arrays over all series of a partition."""
