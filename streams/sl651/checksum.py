"""CRC-16 of Modbus, as SL 651 puts it at the end of a frame."""

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

POLYNOMIAL = 0xA001


def _make_table() -> NDArray[np.uint16]:
    rows = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (POLYNOMIAL if value & 1 else 0)
        rows.append(value)
    return np.array(rows, np.uint16)


_TABLE = _make_table()


@compiled
def _checksum(data: NDArray[np.uint8]) -> int:
    crc = np.uint16(0xFFFF)
    for byte in data:
        crc = (crc >> np.uint16(8)) ^ _TABLE[(crc ^ byte) & np.uint16(0xFF)]
    return int(crc)


def checksum(data: bytes | bytearray | memoryview) -> int:
    """Count the checksum of bytes; a frame carries it high byte first. Compiled at the first call in a new place."""
    return _checksum(np.frombuffer(data, np.uint8))
