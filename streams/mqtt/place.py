"""Where the MQTT broker is and how it is spoken to, made of settings and checked before anything starts."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from config.settings import MqttSettings
from domain.errors import Fault, InvalidConfiguration

PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Place:
    """An MQTT broker; `tls` is None where the URL says `mqtt`."""

    host: str
    port: int
    tls: ssl.SSLContext | None


def read_place(settings: MqttSettings) -> Place:
    """Read the URL and the files of TLS; InvalidConfiguration with every fault."""
    faults = [*_faults_of_url(settings.url), *_faults_of_names(settings)]
    tls = _open_tls(settings, faults)
    if faults:
        raise InvalidConfiguration(faults)
    parts = urlsplit(settings.url)
    secure = parts.scheme == "mqtts"
    return Place(parts.hostname or "", parts.port or PORTS[parts.scheme], tls if secure else None)


def client_id(settings: MqttSettings, port: int) -> str:
    """Name a gateway to the MQTT broker: the same after a restart, another one for each gateway.

    The broker keeps what it could not deliver under this name; two gateways of one machine differ by the port that their
    settings say.
    """
    return f"{settings.client_id_prefix}-{socket.gethostname()}-{port}"


def _faults_of_url(url: str) -> Iterator[Fault]:
    parts = _split(url)
    if parts is None or parts.scheme not in PORTS:
        yield Fault("mqtt.url", "must be mqtt://HOST:PORT or mqtts://HOST:PORT")
    elif parts.username or parts.password:
        yield Fault("mqtt.url", "may hold no account: set mqtt.username, and FENGHUO_MQTT_PASSWORD")
    elif parts.path not in ("", "/") or parts.query or parts.fragment:
        yield Fault("mqtt.url", "must end after the port")


def _split(url: str) -> SplitResult | None:
    """Take a URL apart; None when it names no host, or no port that there can be."""
    try:
        parts = urlsplit(url)
        return parts if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def _faults_of_names(settings: MqttSettings) -> Iterator[Fault]:
    if not settings.client_id_prefix:
        yield Fault("mqtt.client_id_prefix", "is empty")
    if any(sign in settings.share_group for sign in "/+#"):
        yield Fault("mqtt.share_group", "may not hold / + or #")
    if settings.password and not settings.username:
        yield Fault("mqtt.username", "is missing: there is a password")
    if (settings.cert_file is None) is not (settings.key_file is None):
        yield Fault("mqtt.cert_file", "and mqtt.key_file go together")


def _open_tls(settings: MqttSettings, faults: list[Fault]) -> ssl.SSLContext | None:
    """Load authority, certificate and key; each file that cannot be used is a fault of its own."""
    files = {
        name: path
        for name in ("ca_file", "cert_file", "key_file")
        if isinstance(path := getattr(settings, name), Path)
    }
    unreadable = [*_unreadable(files)]
    faults.extend(unreadable)
    context = ssl.create_default_context()
    if settings.ca_file is not None and not any("ca_file" in fault.field for fault in unreadable):
        try:
            context = ssl.create_default_context(cafile=settings.ca_file)
        except ssl.SSLError as error:
            faults.append(Fault("mqtt.ca_file", f"holds no certificate: {error.reason or error}"))
    if settings.cert_file is not None and settings.key_file is not None and not unreadable:
        try:
            # The password keeps OpenSSL from asking for one at the terminal.
            context.load_cert_chain(settings.cert_file, settings.key_file, password="")
        except (ssl.SSLError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            faults.append(Fault("mqtt.cert_file", f"and mqtt.key_file cannot be used: {reason}"))
    return context


def _unreadable(files: dict[str, Path]) -> Iterator[Fault]:
    for name, path in files.items():
        try:
            with path.open("rb"):
                pass
        except OSError as error:
            yield Fault(f"mqtt.{name}", f"{path} cannot be read: {error.strerror}")
