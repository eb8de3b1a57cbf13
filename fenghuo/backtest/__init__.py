"""Recorded or made-up weeks of a county through the desks of the stream, without a broker, and what they were worth."""
