"""Encryption of the CP field, HJ 212-2025: SM4 (GB/T 32907) in ECB mode without padding.

Sure, since the examples of the standard's annex A.2 come out byte for byte (they are in the tests): the key has 16 bytes;
what stands between `CP=&&` and the last `&&` is encrypted in whole blocks of 16 bytes, and what is left over at its end
stays as it is; length and check code are those of the plain text, and since nothing is padded the length fits both.
[m] The annex prints encrypted bytes as `{0xE4,0x3E,…}` with a length that counts bytes. We send bytes and read both
forms; in the printed one the length must be that of what is really sent, or nobody could find the end.
[m] By clause 6.4.4 a data logger encrypts commands 2000–2999, 1014 and 3020, so answers of a platform are plain. We read
any of them either way: whether a county insists on encryption is for its platform to say, not for the codec.

ECB hides values, not patterns, and nothing here proves who sent a packet: this is for passing the standard, the network
around it must be safe in other ways.
"""

import re

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from domain.errors import Fault, InvalidInput
from streams.hj212.crc import crc16
from streams.hj212.frames import BLOCK, PRINTED, Frame, looks_encrypted, wrap

PRINTED_CP = re.compile(rb"\{((?:0[xX][0-9A-Fa-f]{2}(?:,|(?=\})))*)\}([^{}]*)", re.DOTALL)
PRINTED_BYTE = re.compile(rb"[0-9A-Fa-f]{2}(?=,|$)")


def encrypt_cp(cp: bytes, key: bytes) -> bytes:
    """Encrypt the whole blocks of a CP; the result is as long as the CP."""
    whole = len(cp) - len(cp) % BLOCK
    encryptor = _cipher(key).encryptor()
    return encryptor.update(cp[:whole]) + encryptor.finalize() + cp[whole:]


def decrypt_cp(cp: bytes, key: bytes) -> bytes:
    """Decrypt a CP, sent as bytes or in the printed form; InvalidInput when it is neither."""
    if cp.startswith(PRINTED):
        printed = PRINTED_CP.fullmatch(cp)
        if printed is None:
            raise InvalidInput([Fault("CP", "is not encrypted as {0x..,0x..} and what is left over")])
        blocks, rest = bytes.fromhex(b"".join(PRINTED_BYTE.findall(printed[1])).decode()), printed[2]
    else:
        whole = len(cp) - len(cp) % BLOCK
        blocks, rest = cp[:whole], cp[whole:]
    if len(blocks) % BLOCK:
        raise InvalidInput([Fault("CP", f"holds {len(blocks)} encrypted bytes, not whole blocks of {BLOCK}")])
    decryptor = _cipher(key).decryptor()
    return decryptor.update(blocks) + decryptor.finalize() + rest


def seal_frame(segment: bytes, key: bytes) -> bytes:
    """Make the frame of a segment with its CP encrypted."""
    begin = segment.index(b"CP=&&") + 5
    sealed = segment[:begin] + encrypt_cp(segment[begin:-2], key) + segment[-2:]
    return wrap(sealed, crc16(segment))


def open_frame(frame: Frame, key: bytes | None) -> Frame:
    """Decrypt a frame that looks encrypted and check its code; others come back as they are.

    InvalidInput when there is no key, when it is not the right one, or when the bytes were damaged: the check code cannot
    tell one from the other.
    """
    if "encrypted" not in frame.notes:
        return frame
    notes = tuple(note for note in frame.notes if note != "encrypted")
    if key is not None:
        begin = frame.segment.index(b"CP=&&") + 5
        cp = decrypt_cp(frame.segment[begin:-2], key)
        segment = frame.segment[:begin] + cp + frame.segment[-2:]
        if crc16(segment) == frame.crc and not looks_encrypted(segment):
            return Frame(segment, notes, frame.crc)
    if crc16(frame.segment) == frame.crc:  # plain after all: a text that begins with Chinese
        return Frame(frame.segment, notes, frame.crc)
    if key is None:
        raise InvalidInput([Fault("CP", "is encrypted, and this device has no key here")])
    raise InvalidInput([Fault("CP", "cannot be decrypted with this device's key, or is damaged")])


def _cipher(key: bytes) -> Cipher[modes.ECB]:
    if len(key) != BLOCK:
        raise InvalidInput([Fault("sm4_key", f"has {len(key)} bytes, must have {BLOCK}")])
    return Cipher(SM4(key), modes.ECB())  # noqa: S305  # the standard wants ECB, see above
