"""Who may come in at the MQTT broker: certificates, passwords, and the rights that we ship."""

import asyncio
import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from mqtt_world import (
    device,
    needs_mosquitto,
    new_name,
    readings,
    settings_for,
    subscribed,
    told,
)

from config.settings import Secret
from fenghuo.embedded_mqtt import embedded_mosquitto
from fenghuo.topics import ensure_topics

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
            assert {met.address for met in gateway.devices._directory._met.values()} == {one}
