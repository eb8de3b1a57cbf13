"""SL 651-2014: hydrological stations over TCP, HEX framing."""
