"""Settings of the MQTT broker are checked before anything starts, and all faults are told at once."""

from pathlib import Path
from typing import Any

import pytest

from config.settings import MqttSettings, Secret
from domain.errors import InvalidConfiguration
from streams.mqtt.place import client_id, read_place


def told(**settings: Any) -> str:
    """Read settings that are wrong, and give the sentence."""
    with pytest.raises(InvalidConfiguration) as caught:
        read_place(MqttSettings(**{"url": "mqtt://broker", **settings}))
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "host", "port", "secure"),
    [
        ("mqtt://broker", "broker", 1883, False),
        ("mqtts://broker", "broker", 8883, True),
        ("mqtt://10.0.0.7:11883/", "10.0.0.7", 11883, False),
        ("mqtts://[fd00::7]:8884", "fd00::7", 8884, True),
    ],
)
def test_urls(url: str, host: str, port: int, secure: bool) -> None:
    """The scheme says whether the connection is encrypted; ports have the usual defaults."""
    place = read_place(MqttSettings(url=url))
    assert (place.host, place.port, place.tls is not None) == (host, port, secure)


@pytest.mark.parametrize(
    "url",
    [
        "broker:1883",
        "http://broker",
        "mqtt://",
        "mqtt://broker:0",
        "mqtt://broker:x",
        "mqtt://broker:70000",
        "mqtt://[",
    ],
)
def test_a_wrong_url_is_told(url: str) -> None:
    """With the two forms that there are."""
    assert "mqtt.url: must be mqtt://HOST:PORT or mqtts://HOST:PORT" in told(url=url)


def test_a_password_does_not_belong_into_the_url() -> None:
    """It would stand in logs; the sentence does not repeat it."""
    text = told(url="mqtt://fenghuo:hunter2@broker")
    assert "FENGHUO_MQTT_PASSWORD" in text
    assert "hunter2" not in text
    assert "must end after the port" in told(url="mqtt://broker/topic")


def test_files_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    """Missing, or without a certificate; beside a wrong URL."""
    empty = tmp_path / "empty.pem"
    empty.touch()
    none = tmp_path / "none.pem"
    text = told(url="http://broker", ca_file=none)
    assert "mqtt.url" in text
    assert f"mqtt.ca_file: {none} cannot be read: No such file or directory" in text
    text = told(ca_file=empty, cert_file=empty, key_file=empty)
    assert "mqtt.ca_file: holds no certificate" in text
    assert "mqtt.cert_file: and mqtt.key_file cannot be used" in text
    assert f"mqtt.key_file: {tmp_path} cannot be read" in told(cert_file=empty, key_file=tmp_path)
    assert "mqtt.cert_file: and mqtt.key_file go together" in told(cert_file=empty)


def test_names_that_cannot_be_are_told() -> None:
    """Each by field."""
    text = told(share_group="a/b", client_id_prefix="", password=Secret("x"))
    assert "mqtt.share_group" in text
    assert "mqtt.client_id_prefix" in text
    assert "mqtt.username: is missing" in text


def test_a_gateway_keeps_its_name() -> None:
    """The same after a restart, another one for each port of a machine."""
    settings = MqttSettings(client_id_prefix="county-7")
    assert client_id(settings, 8080) == client_id(settings, 8080) != client_id(settings, 8081)
    assert client_id(settings, 8080).startswith("county-7-")
