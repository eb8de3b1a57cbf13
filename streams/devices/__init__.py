"""What all device protocols share: who a device is, where its readings go, what was seen of it, its TCP connection."""
