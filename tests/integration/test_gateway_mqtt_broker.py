"""The gateway at the MQTT broker: who may come in, what happens when it goes and comes back, two gateways at one."""

import asyncio
import datetime as dt
import ipaddress
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from mqtt_world import (
    device,
    is_subscribed,
    needs_mosquitto,
    new_name,
    publish,
    readings,
    settings_for,
    subscribed,
    until,
)
from structlog.testing import capture_logs

from config.data import load_data
from config.settings import Secret
from domain.registry import Protocol
from fenghuo.embedded_mqtt import embedded_mosquitto
from fenghuo.topics import ensure_topics
from streams.gateway import Gateway

pytestmark = needs_mosquitto
CONFIG = Path(__file__).parents[2] / "config"


@dataclass(frozen=True)
class Authority:
    """A certificate authority in a folder, as a county makes one for itself."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    name: x509.Name

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        """Make key and certificate."""
        folder.mkdir()
        made = cls(
            folder,
            ec.generate_private_key(ec.SECP256R1()),
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, folder.name)]),
        )
        made._write("ca", made.name, made.key, [x509.BasicConstraints(ca=True, path_length=None)])
        return made

    def certify(self, name: str) -> tuple[Path, Path]:
        """Make a certificate of 127.0.0.1 with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        self._write(
            name,
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
            key,
            [
                x509.BasicConstraints(ca=False, path_length=None),
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            ],
        )
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    @property
    def certificate(self) -> Path:
        """Tell where the authority's own certificate lies."""
        return self.folder / "ca.pem"

    def _write(
        self,
        name: str,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        extensions: Sequence[x509.ExtensionType],
    ) -> None:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        if subject == self.name:
            usage = dict.fromkeys(
                ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"), False
            ) | dict.fromkeys(("key_agreement", "encipher_only", "decipher_only"), False)
            builder = builder.add_extension(
                x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True
            )
        certificate = builder.sign(self.key, hashes.SHA256())
        (self.folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (self.folder / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


async def give_password(passwords: Path, account: str, password: str) -> None:
    """Let an account in, as an administrator does."""
    passwords.touch(mode=0o600)  # noqa: ASYNC240  # a moment
    program = await asyncio.create_subprocess_exec(
        "mosquitto_passwd", "-b", str(passwords), account, password
    )
    assert await program.wait() == 0


async def told(settings: Any, event: str) -> dict[str, Any]:
    """Run a gateway until it logs an event, and give that."""
    with capture_logs() as lines:
        async with Gateway(settings, load_data()) as gateway:
            await until(lambda: any(line["event"] == event for line in lines))
            assert not is_subscribed(gateway)
    return next(line for line in lines if line["event"] == event)


async def test_tls_with_an_own_authority_and_a_certificate_for_us(broker: str, tmp_path: Path) -> None:
    """The broker's certificate is checked against the authority's file, and ours is shown."""
    own = Authority.make(tmp_path / "county")
    certificate, key = own.certify("broker")
    cert_file, key_file = own.certify("gateway")
    lines = [
        "allow_anonymous true",
        f"cafile {own.certificate}",
        f"certfile {certificate}",
        f"keyfile {key}",
        "require_certificate true",
    ]
    name = new_name()
    async with embedded_mosquitto(tmp_path / "mqtt", lines=lines) as url:
        assert url.startswith("mqtts://")
        files = {"ca_file": own.certificate, "cert_file": cert_file, "key_file": key_file}
        settings = settings_for(broker, url, **files)
        await ensure_topics(settings)
        async with subscribed(settings):
            port = url.rsplit(":", 1)[1]
            program = await asyncio.create_subprocess_exec(
                *("mosquitto_pub", "-h", "127.0.0.1", "-p", port, "-q", "1", "-m", "1.5"),
                *("-t", f"fenghuo/{name}/level", "--cafile", str(own.certificate)),
                *("--cert", str(cert_file), "--key", str(key_file)),
            )
            assert await program.wait() == 0
            (found,) = await readings(broker, name, bool)
    assert found["value"] == 1.5


async def test_a_wrong_authority_is_refused(broker: str, tmp_path: Path) -> None:
    """A broker whose certificate another authority signed gets neither subscription nor password."""
    own, other = Authority.make(tmp_path / "county"), Authority.make(tmp_path / "stranger")
    certificate, key = own.certify("broker")
    lines = ["allow_anonymous true", f"certfile {certificate}", f"keyfile {key}"]
    async with embedded_mosquitto(tmp_path / "mqtt", lines=lines) as url:
        settings = settings_for(broker, url, ca_file=other.certificate)
        await ensure_topics(settings)
        assert "certificate verify failed" in (await told(settings, "mqtt_is_away"))["detail"]


async def test_a_wrong_password_is_told_and_the_right_one_lets_us_in(broker: str, tmp_path: Path) -> None:
    """The reason stands in the log, the password does not."""
    passwords = tmp_path / "passwords"
    await give_password(passwords, "fenghuo", "right-secret")
    lines = ["allow_anonymous false", f"password_file {passwords}"]
    async with embedded_mosquitto(tmp_path / "mqtt", lines=lines) as url:
        wrong = settings_for(broker, url, username="fenghuo", password=Secret("wrong-secret"))
        await ensure_topics(wrong)
        line = await told(wrong, "mqtt_is_away")
        assert "Not authorized" in line["detail"]
        assert "secret" not in str(line)
        async with subscribed(settings_for(broker, url, username="fenghuo", password=Secret("right-secret"))):
            pass


async def test_with_the_shipped_rights_a_device_speaks_for_itself_alone(broker: str, tmp_path: Path) -> None:
    """The files of docker-compose.yml: what a device publishes under another's name reaches nobody."""
    one, other = new_name(), new_name()
    passwords, rights = tmp_path / "passwords", CONFIG / "mosquitto.acl"
    for account in ("fenghuo", one):
        await give_password(passwords, account, f"{account}-secret")
    lines = [
        line.replace("/mosquitto/data/passwords", str(passwords)).replace(
            "/mosquitto/config/mosquitto.acl", str(rights)
        )
        for line in (CONFIG / "mosquitto.conf").read_text().splitlines()
        if not line.startswith(("listener", "persistence_location"))
    ]
    async with embedded_mosquitto(tmp_path / "mqtt", lines=lines) as url:
        account = {"username": "fenghuo", "password": Secret("fenghuo-secret"), "share_group": "fenghuo"}
        settings = settings_for(broker, url, **account)
        await ensure_topics(settings)
        async with subscribed(settings) as gateway:
            async with device(url, username=one, password=f"{one}-secret") as client:
                for topic in (f"{other}/level", other, f"{one}/level", one):
                    await client.publish(f"fenghuo/{topic}", '{"value": 1}', qos=1)
            await readings(broker, one, lambda found: len(found) == 2)
            assert {met.address for met in gateway.devices._met.values()} == {one}


async def test_it_comes_back_after_the_broker_was_restarted(
    broker: str, tmp_path: Path, free_port: int
) -> None:
    """Told once when lost and once when back; readings from before and after are there."""
    name = new_name()
    settings = settings_for(broker, f"mqtt://127.0.0.1:{free_port}")
    await ensure_topics(settings)
    with capture_logs() as lines:
        async with Gateway(settings, load_data()) as gateway:
            async with embedded_mosquitto(tmp_path, free_port) as url:
                await until(lambda: is_subscribed(gateway))
                await publish(url, (f"fenghuo/{name}/level", "1"))
                await readings(broker, name, bool)
            await until(lambda: not is_subscribed(gateway))
            async with embedded_mosquitto(tmp_path, free_port) as url:
                await publish(url, (f"fenghuo/{name}/level", "2"))  # kept for us, subscribed or not
                await until(lambda: is_subscribed(gateway))
                await publish(url, (f"fenghuo/{name}/level", "3"))
                # The first may come twice: our acknowledgement and the broker's end may have crossed.
                await readings(
                    broker, name, lambda found: {reading["value"] for reading in found} == {1, 2, 3}
                )
                events = [line["event"] for line in lines if line["event"].startswith("mqtt_")]
    first = events.index("mqtt_is_there")
    assert events[first:] == ["mqtt_is_there", "mqtt_is_away", "mqtt_is_there"]


async def test_two_gateways_share_the_load(broker: str, tmp_path: Path) -> None:
    """Each message goes to one of them, and neither gets all."""
    name, count = new_name(), 200
    async with embedded_mosquitto(tmp_path) as url:
        settings = [settings_for(broker, url, share_group="fenghuo") for _ in range(2)]
        await ensure_topics(settings[0])
        async with subscribed(settings[0]) as one, subscribed(settings[1]) as other:
            await publish(url, *((f"fenghuo/{name}/level", str(number)) for number in range(count)))
            found = await readings(broker, name, lambda found: len(found) >= count)
            shares = []
            for gateway in (one, other):
                met = gateway.devices.meet(Protocol.MQTT, name)
                assert met is not None
                shares.append(met.readings)
    assert len(found) == count
    assert sum(shares) == count
    assert min(shares) > count // 10


async def test_what_one_of_two_leaves_behind_waits_for_it(broker: str, tmp_path: Path) -> None:
    """Mosquitto keeps the share of a gateway that is down, until that is back: known, and documented."""
    name, count = new_name(), 20
    async with embedded_mosquitto(tmp_path) as url:
        settings = [settings_for(broker, url, share_group="fenghuo") for _ in range(2)]
        await ensure_topics(settings[0])
        async with subscribed(settings[0]):
            async with subscribed(settings[1]):
                pass
            await publish(url, *((f"fenghuo/{name}/level", str(number)) for number in range(count)))
            some = await readings(broker, name, lambda found: len(found) >= count // 2)
            assert len(some) < count
            async with subscribed(settings[1]):
                await readings(broker, name, lambda found: len(found) >= count)


async def test_a_gateway_that_leaves_for_good_leaves_nothing_behind(broker: str, tmp_path: Path) -> None:
    """Started once more with an expiry of 0 it takes what waited for it, and the others take all from then on."""
    name, count = new_name(), 20
    async with embedded_mosquitto(tmp_path) as url:
        stays = settings_for(broker, url, share_group="fenghuo")
        leaves = settings_for(broker, url, share_group="fenghuo", client_id_prefix=f"leaves-{name}")
        last = settings_for(
            broker, url, share_group="fenghuo", client_id_prefix=f"leaves-{name}", session_expiry_seconds=0
        )
        await ensure_topics(stays)
        async with subscribed(stays):
            async with subscribed(leaves):
                pass
            await publish(url, *((f"fenghuo/{name}/level", str(number)) for number in range(count)))
            async with subscribed(last):
                await readings(broker, name, lambda found: len(found) >= count)
            await publish(url, *((f"fenghuo/{name}/level", str(number)) for number in range(count)))
            await readings(broker, name, lambda found: len(found) >= 2 * count)


@asynccontextmanager
async def old_broker(url: str, refusal: bytes) -> AsyncIterator[str]:
    """Stand before a broker like one that knows MQTT 3.1.1 only: answers anything newer with `refusal`, then hangs up."""
    host, port = url.removeprefix("mqtt://").split(":")

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            greeting = await reader.read(65536)
            if greeting[greeting.index(b"MQTT") + 4] > 4:
                writer.write(refusal)
                writer.close()
                return
            above, below = await asyncio.open_connection(host, int(port))
            below.write(greeting)
            await asyncio.gather(carry(reader, below), carry(above, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.mark.parametrize("refusal", [b"\x20\x02\x00\x01", b""], ids=["answer", "hang-up"])
async def test_an_old_broker_is_spoken_to_in_its_own_version(
    broker: str, tmp_path: Path, refusal: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MQTT 3.1.1 takes over where 5 is refused, with the same guarantees: a session that goes on, PUBACK by hand."""
    monkeypatch.setattr("streams.mqtt.connection.TIMEOUT_SECONDS", 1.0)
    name = new_name()
    async with embedded_mosquitto(tmp_path) as url, old_broker(url, refusal) as old:
        settings = settings_for(broker, old)
        await ensure_topics(settings)
        async with subscribed(settings) as gateway:
            assert gateway._mqtt is not None
            assert gateway._mqtt._dialect.version.name == "V311"
            await publish(url, (f"fenghuo/{name}/level", "1"))
            await readings(broker, name, bool)
        await publish(url, (f"fenghuo/{name}/level", "2"))
        async with subscribed(settings):
            await readings(broker, name, lambda found: len(found) == 2)


@asynccontextmanager
async def fake_broker(code: int, *, after: asyncio.Event | None = None) -> AsyncIterator[str]:
    """Be a broker that greets everybody, and answers each subscription with a code, when the time has come."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"\x20\x03\x00\x00\x00")
        while subscribe := await reader.read(65536):
            if subscribe[0] == 0x82:
                if after is not None:
                    await after.wait()
                writer.write(b"\x90\x04" + subscribe[2:4] + b"\x00" + bytes([code]))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_a_refused_subscription_is_told(broker: str) -> None:
    """The log names the filter and the broker's code, here: not authorized."""
    async with fake_broker(0x87) as url:
        settings = settings_for(broker, url)
        await ensure_topics(settings)
        line = await told(settings, "mqtt_is_away")
    assert "fenghuo/+/+ with code 135" in line["detail"]


async def test_a_subscription_without_acknowledgements_is_told(broker: str, tmp_path: Path) -> None:
    """A broker that grants QoS 0 alone may lose what it delivers: we take it, and say so."""
    name = new_name()
    with capture_logs() as lines:
        async with embedded_mosquitto(tmp_path, lines=["allow_anonymous true", "max_qos 0"]) as url:
            settings = settings_for(broker, url)
            await ensure_topics(settings)
            async with subscribed(settings):
                await publish(url, (f"fenghuo/{name}/level", "1"), qos=0)
                await readings(broker, name, bool)
    assert any(line["event"] == "mqtt_without_acknowledgements" for line in lines)


async def test_a_subscription_that_is_answered_late_holds(
    broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mosquitto answers it after all that the session had kept: giving up meanwhile would deliver the same again."""
    monkeypatch.setattr("streams.mqtt.connection.TIMEOUT_SECONDS", 0.2)
    answer = asyncio.Event()
    with capture_logs() as lines:
        async with fake_broker(0x01, after=answer) as url:
            settings = settings_for(broker, url)
            await ensure_topics(settings)
            async with Gateway(settings, load_data()) as gateway:
                with pytest.raises(TimeoutError):
                    await until(lambda: any(line["event"] == "mqtt_is_away" for line in lines), seconds=1.0)
                assert not is_subscribed(gateway)
                answer.set()
                await until(lambda: is_subscribed(gateway))
