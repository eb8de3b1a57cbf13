"""Photos from phones: JPEG only, small, and without anything beside the picture; pure.

The phone shrinks a photo and drops what its camera wrote into it (where and when it was taken, by which device). This makes
sure of it: what a JPEG holds beside its picture is left out here whatever the phone did (ITU-T T.81, annex B: APPn and COM
segments), since a photo's place is the report's place, and nothing more is asked (国办函〔2026〕12号).
"""

from dataclasses import dataclass

from domain.errors import Fault, InvalidInput

MAX_PHOTO_BYTES = 1024 * 1024
"""A phone's photo at 1,600 pixels takes a third of it."""
MAX_SIDE = 4_096
SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""SOFn: where width and height stand; C4, C8 and CC are other tables (T.81, table B.1)."""
NOTES = frozenset(range(0xE1, 0xF0)) - {0xEE} | {0xFE}
"""APP1 to APP15 and COM, but not APP14: by it a decoder knows the colours. APP0 (JFIF) is kept without its thumbnail."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture without metadata; sides in pixels."""

    jpeg: bytes
    width: int
    height: int


def too_large(size: int | None) -> Fault:
    """Say that a photo is too large; None is more than was read."""
    over = "" if size is None else f"（{size / 1_048_576:.0f} MB）"
    told = "" if size is None else f" ({size / 1_048_576:.0f} MB)"
    return Fault(
        "photo",
        f"照片过大{over}，最多 1 MB；请用本应用拍摄或选取，会自动压缩。 The photo is too large{told}: at most 1 MB. "
        "Take or choose it in the field app, which shrinks it.",
    )


def clean(data: bytes) -> Photo:
    """Check a JPEG and leave out all but the picture; InvalidInput for anything else.

    Only the segments before the first scan are looked at; what is compressed is not decoded.
    """
    if len(data) > MAX_PHOTO_BYTES:
        raise InvalidInput([too_large(len(data))])
    if data[:2] != bytes((0xFF, SOI)) or data.rstrip(b"\x00")[-2:] != bytes((0xFF, EOI)):
        raise InvalidInput([_no_jpeg()])
    kept, at, size = [data[:2]], 2, (0, 0)
    while True:
        marker, end = _segment(data, at)
        if marker == SOS:
            kept.append(data[at:])
            break
        if marker in FRAMES:
            size = _sides(data[at:end])
        if marker not in NOTES:
            kept.append(_without_thumbnail(data[at:end]) if marker == 0xE0 else data[at:end])
        at = end
    width, height = size
    if not 0 < width <= MAX_SIDE or not 0 < height <= MAX_SIDE:
        raise InvalidInput(
            [Fault("photo", f"照片边长须在 {MAX_SIDE} 像素以内。 A side may have {MAX_SIDE} pixels at most.")]
        )
    return Photo(b"".join(kept), width, height)


def _no_jpeg() -> Fault:
    return Fault("photo", "不是完整的 JPEG 照片。 This is no complete JPEG.")


def _segment(data: bytes, at: int) -> tuple[int, int]:
    """Read the marker at a place and where its segment ends; InvalidInput where there is none."""
    if at + 4 > len(data) or data[at] != 0xFF:
        raise InvalidInput([_no_jpeg()])
    marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
    if marker in (0x00, 0xFF, SOI, EOI) or length < 2 or at + 2 + length > len(data):
        raise InvalidInput([_no_jpeg()])
    return marker, at + 2 + length


def _sides(frame: bytes) -> tuple[int, int]:
    """Read width and height of a frame header: marker, length, precision, lines, samples (T.81, B.2.2)."""
    if len(frame) < 9:
        raise InvalidInput([_no_jpeg()])
    return int.from_bytes(frame[7:9], "big"), int.from_bytes(frame[5:7], "big")


def _without_thumbnail(app0: bytes) -> bytes:
    """Leave the fourteen bytes of a JFIF header (JFIF 1.02), and nothing of any other APP0."""
    if app0[4:9] != b"JFIF\x00" or len(app0) < 18:
        return b""
    return app0[:2] + b"\x00\x10" + app0[4:16] + b"\x00\x00"
