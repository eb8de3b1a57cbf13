"""Photos from phones: the picture stays, everything beside it goes, and nothing else is taken."""

import pytest

from dashboards.photos import MAX_PHOTO_BYTES, clean
from domain.errors import InvalidInput

FRAME = bytes.fromhex("ffc0000b08001e002801011100")
SCAN = bytes.fromhex("ffda0008010100003f00") + b"\x01\x02\xff\x00\x03"
JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x02\x00\x00\x48\x00\x48\x00\x00"


def jpeg(*segments: bytes, frame: bytes = FRAME, end: bytes = b"\xff\xd9") -> bytes:
    """Write a JPEG of 40 × 30 pixels with some segments first."""
    return b"\xff\xd8" + b"".join(segments) + frame + SCAN + end


def note(marker: int, content: bytes) -> bytes:
    """Write a segment."""
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


@pytest.mark.parametrize(
    "beside",
    [
        note(0xE1, b"Exif\x00\x00GPS"),
        note(0xE1, b"http://ns.adobe.com/xap/1.0/\x00"),
        note(0xE2, b"MPF"),
        note(0xED, b"Photoshop"),
        note(0xFE, b"taken by"),
        note(0xE0, b"JFXX\x00\x10thumb"),
    ],
)
def test_what_is_beside_the_picture_goes(beside: bytes) -> None:
    """Exif, XMP, further pictures, comments and thumbnails are left out, several of them too."""
    assert clean(jpeg(JFIF, beside, beside)).jpeg == jpeg(JFIF)


def test_the_picture_stays() -> None:
    """What a decoder needs stays as it was: tables, colours (APP14), the frame and its scan; sides are read."""
    kept = jpeg(
        JFIF, note(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x01"), note(0xDB, bytes(65)), note(0xC4, bytes(20))
    )
    photo = clean(kept)
    assert (photo.jpeg, photo.width, photo.height) == (kept, 40, 30)


def test_a_thumbnail_in_the_header_goes() -> None:
    """A JFIF header keeps its version and density, and loses the picture inside it."""
    header = note(0xE0, b"JFIF\x00\x01\x02\x00\x00\x48\x00\x48\x02\x01" + bytes(6))
    assert clean(jpeg(header)).jpeg == jpeg(JFIF)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff\xd9",
        jpeg(end=b""),
        jpeg(frame=b""),
        jpeg(note(0xE1, b"x")[:-1]),
        jpeg(frame=note(0xC0, b"\x08\x00")),
        jpeg(frame=bytes.fromhex("ffc0000b08ffff002801011100")),
        jpeg(b"\xff\xe1\x00\x01"),
        b"\x89PNG\r\n\x1a\n" + bytes(50) + b"\xff\xd9",
        jpeg() + bytes(MAX_PHOTO_BYTES),
    ],
)
def test_everything_else_is_refused(data: bytes) -> None:
    """Cut off, without a frame, of another type, too large in bytes or pixels: refused in both languages."""
    with pytest.raises(InvalidInput) as refused:
        clean(data)
    (fault,) = refused.value.faults
    assert fault.field == "photo"
    assert "。 " in fault.reason
