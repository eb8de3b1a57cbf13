"""Wrong settings of MQTT end the start with one sentence, and `fenghuo check` tells them with all others."""

import base64
import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from fenghuo.cli import create_cli

WRONG = {"FENGHUO_MQTT_URL": "http://broker", "FENGHUO_MQTT_CA_FILE": "/nowhere/ca.pem"}
FAULTS = (
    "mqtt.url: must be mqtt://HOST:PORT or mqtts://HOST:PORT",
    "mqtt.ca_file: /nowhere/ca.pem cannot be read: No such file or directory",
)


def test_check_tells_faults_of_settings_and_routes_together(tmp_path: Path) -> None:
    """A wrong URL, a missing file and a wrong route, each on a line; status 2."""
    (tmp_path / "mqtt.toml").write_text('[[route]]\ntopic = "a/{device}/{channel}"\ntime_zone = "x"\n')
    result = CliRunner().invoke(
        create_cli(), ["check"], env=WRONG | {"FENGHUO_DATA_DIR": str(tmp_path)}, catch_exceptions=False
    )
    assert result.exit_code == 2
    for fault in (*FAULTS, "route[0].time_zone: 'x' is not a known time zone"):
        assert fault in result.stdout


def test_the_gateway_does_not_start(tmp_path: Path) -> None:
    """One sentence with both faults, status 2."""
    own = {
        "FENGHUO_PERSONAL_KEY": base64.b64encode(bytes(32)).decode(),
        "FENGHUO_BROKER_BOOTSTRAP": "127.0.0.1:1",
    }
    result = subprocess.run(
        [sys.executable, "-m", "fenghuo", "gateway"],
        env={name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")}
        | WRONG
        | own,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == f"Wrong configuration: {'; '.join(FAULTS)}"
