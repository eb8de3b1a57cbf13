"""The hub of live events with browsers that read slowly, or not at all."""

from uuid import UUID, uuid4

import msgspec
import pytest
from aiohttp import ClientConnectionResetError

from dashboards.hub import BACKLOG_BYTES, CHUNK_BYTES, Client, Frame, Hub, chunks, frame
from dashboards.keys import Door
from responders.views import Role, Viewer


class FakeBrowser:
    """Takes what is written; `stuck` bytes of it wait in the network's buffer."""

    def __init__(self) -> None:
        self.received = b""
        self.stuck = 0
        self.broken = False

    async def write(self, data: bytes) -> None:
        """Receive."""
        if self.broken:
            raise ClientConnectionResetError("Cannot write to closing transport")
        self.received += data

    def get_write_buffer_size(self) -> int:
        """Tell what the network has not taken."""
        return self.stuck


def client_of(browser: FakeBrowser, last: int = 0) -> Client:
    """Seat somebody before the browser."""
    viewer = Viewer(user=uuid4(), login="a", display="a", role=Role.OFFICER, area="990101")
    return Client(browser, browser, viewer, "session", last)  # type: ignore[arg-type]


def frames(*numbers: int, size: int = 10) -> list[Frame]:
    """Make frames with a payload of some size."""
    return [Frame(number, "incident", frame("incident", "x" * size, number)) for number in numbers]


@pytest.fixture
def hub() -> Hub:
    """Make a hub without a store."""
    return Hub(Door())


async def test_a_client_gets_only_what_is_newer(hub: Hub) -> None:
    """What it has been sent before is not sent again."""
    browser = FakeBrowser()
    client = client_of(browser, last=2)
    await hub._send([client], frames(1, 2, 3, 4))
    assert b"id: 2\n" not in browser.received
    assert browser.received.count(b"event: incident") == 2
    assert client.last == 4


async def test_a_slow_client_gets_one_resync_and_holds_up_nobody(hub: Hub) -> None:
    """While its buffer is full it is sent nothing; when it is empty, one resync, and then it goes on."""
    slow, quick = FakeBrowser(), FakeBrowser()
    clients = [client_of(slow), client_of(quick)]
    slow.stuck = BACKLOG_BYTES
    await hub._send(clients, frames(1))
    await hub._send(clients, frames(2))
    assert slow.received == b""
    assert quick.received.count(b"event: incident") == 2
    slow.stuck = 0
    await hub._send(clients, frames(3))
    assert slow.received.count(b"event: resync") == 1
    assert b"id: 3\n" in slow.received
    await hub._send(clients, frames(4))
    assert slow.received.count(b"event: incident") == 1
    assert slow.received.count(b"event: resync") == 1


async def test_a_broken_connection_is_noticed(hub: Hub) -> None:
    """Writing to somebody who left marks him gone and reaches the others."""
    left, stays = FakeBrowser(), FakeBrowser()
    left.broken = True
    clients = [client_of(left), client_of(stays)]
    await hub._send(clients, frames(1))
    assert clients[0].gone.is_set() and not clients[1].gone.is_set()
    assert b"id: 1\n" in stays.received


def test_chunks_keep_every_frame_in_order() -> None:
    """Frames are joined to handy writes, none is lost, and each write names its last change."""
    made = frames(*range(1, 101), size=1000)
    written = list(chunks(made))
    assert b"".join(data for _, data in written) == b"".join(one.data for one in made)
    assert [number for number, _ in written][-1] == 100
    assert all(len(data) <= CHUNK_BYTES for _, data in written)
    assert list(chunks([])) == []


def test_frames_are_one_line_of_data() -> None:
    """Line breaks in a text cannot break the stream."""
    text = "one\n\nevent: forged\r\ndata: {}\u2028"
    encoded = frame("incident", {"zh": text, "id": UUID(int=1)}, 7).decode()
    head, data, *rest = encoded.removeprefix("id: 7\n").split("\n")
    assert head == "event: incident"
    assert rest == ["", ""]
    assert msgspec.json.decode(data.removeprefix("data: "))["zh"] == text
