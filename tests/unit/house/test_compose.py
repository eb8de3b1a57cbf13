"""The containers and what watches them name only services, ports, variables, files and commands that exist."""

import base64
import json
import re
import shlex
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer.main
import yaml

from config.data import load_data
from config.routes import covers, filters_of
from config.settings import Settings, load_settings, variables
from fenghuo.cli import create_cli

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
PROMETHEUS = ROOT / "dashboards" / "prometheus"
BOARDS = sorted((ROOT / "dashboards" / "grafana" / "boards").glob("*.json"))
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("fenghuo:")}
STAGES = sorted(OURS.keys() - {"migrate"})
BY_IMAGE = {  # the port on which each image of others listens, as its documentation says
    "apache/kafka": 9092,
    "postgres": 5432,
    "prom/prometheus": 9090,
    "grafana/grafana": 3000,
    "eclipse-mosquitto": 1883,
}
VALUES = {
    "POSTGRES_PASSWORD": "abc123",
    "FENGHUO_PERSONAL_KEY": base64.b64encode(bytes(32)).decode(),
    "GRAFANA_PASSWORD": "abc123",
    "MQTT_PASSWORD": "abc123",
}
REFERENCE = re.compile(r"(?<!\$)\$\{(\w+)(:[?-])?([^}]*)\}")


def substitute(text: str) -> str:
    """Put values for ${NAME…} as compose does."""

    def value(found: re.Match[str]) -> str:
        return VALUES.get(found[1], found[3] if found[2] == ":-" else "")

    return REFERENCE.sub(value, text)


def environment(name: str) -> dict[str, str]:
    """Give the environment of a service, as its process sees it."""
    return {key: substitute(str(value)) for key, value in SERVICES[name].get("environment", {}).items()}


def settings_of(name: str) -> Settings:
    """Load the settings as the service's process would."""
    return load_settings(
        {key: value for key, value in environment(name).items() if key.startswith("FENGHUO_")}
    )


def listens_on(name: str) -> int:
    """Tell the port on which a service listens inside its container."""
    service = SERVICES[name]
    if name not in OURS:
        return BY_IMAGE[service["image"].rsplit(":", 1)[0]]
    settings = settings_of(name)
    return {
        "gateway": settings.gateway.port,
        "stream": settings.stream.metrics_port,
        "respond": settings.respond.metrics_port,
        "console": settings.console.port,
    }[name]


def instructions(word: str) -> Iterator[list[str]]:
    """Read the arguments of one kind of instruction of the Dockerfile."""
    for line in DOCKERFILE.splitlines():
        if line.startswith(f"{word} "):
            yield shlex.split(line)[1:]


def commands() -> set[str]:
    """Name the commands of the command line."""
    return set(typer.main.get_command(create_cli()).commands)  # type: ignore[attr-defined]  # it is a group


def test_the_services_are_all_there() -> None:
    """Broker, database, one-shot migration, the four processes, what watches them, and MQTT."""
    others = {"kafka", "postgres", "migrate", "prometheus", "grafana", "mosquitto"}
    assert set(SERVICES) == others | {"gateway", "stream", "respond", "console"}


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_pinned_watched_and_restarted(name: str) -> None:
    """An image with a version, a health check (but for the one that ends) and a restart policy."""
    service = SERVICES[name]
    assert re.fullmatch(r"[\w./-]+:(local|v?\d[\w.]*)", service["image"])
    if name == "migrate":
        assert service["restart"] == "on-failure"
    else:
        assert service["restart"] == "unless-stopped"
        assert name in OURS or service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_waits_for_services_that_can_become_ready(name: str) -> None:
    """Every dependency exists; a healthy one has a health check, a completed one ends."""
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        if wanted["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other] or other in OURS
        else:
            assert wanted["condition"] == "service_completed_successfully"
            assert other == "migrate"


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_command_is_one_of_ours(name: str) -> None:
    """What the container is told to run is a command of the command line."""
    assert SERVICES[name]["command"][0] in commands()


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_variable_is_a_setting_and_holds(name: str) -> None:
    """The process accepts the environment as it would be with a filled-in .env."""
    given = {key for key in environment(name) if key.startswith("FENGHUO_")}
    assert given <= variables().keys()
    assert settings_of(name)


@pytest.mark.parametrize("name", STAGES)
def test_each_process_can_be_reached_where_its_health_is_asked(name: str) -> None:
    """It listens on all addresses of its container, on the port that the health check asks and the image exposes."""
    settings = settings_of(name)
    hosts = {
        "gateway": settings.gateway.host,
        "stream": settings.stream.metrics_host,
        "respond": settings.respond.metrics_host,
        "console": settings.console.host,
    }
    assert hosts[name] == "0.0.0.0"
    assert environment(name)["HEALTH_PORT"] == str(listens_on(name))
    (exposed,) = instructions("EXPOSE")
    assert str(listens_on(name)) in exposed


def test_devices_reach_the_gateway_from_outside() -> None:
    """Each protocol over TCP has a port, on all addresses of the container, published as it is."""
    devices = settings_of("gateway").devices
    assert devices.host == "0.0.0.0"
    wanted = {f"{port}:{port}" for port in (devices.hj212_port, devices.sl651_port)}
    assert wanted <= set(SERVICES["gateway"]["ports"])


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_address_leads_to_a_service(name: str) -> None:
    """Broker and database are named by service and by the port on which it listens."""
    given = environment(name)
    places = [given["FENGHUO_BROKER_BOOTSTRAP"]] if "FENGHUO_BROKER_BOOTSTRAP" in given else []
    if "FENGHUO_DATABASE_DSN" in given:
        dsn = urlsplit(given["FENGHUO_DATABASE_DSN"])
        places.append(f"{dsn.hostname}:{dsn.port}")
        assert (dsn.username, dsn.password, dsn.path) == ("fenghuo", "abc123", "/fenghuo")
        assert environment("postgres")["POSTGRES_DB"] == "fenghuo"
    if "FENGHUO_MQTT_URL" in given:
        url = urlsplit(given["FENGHUO_MQTT_URL"])
        places.append(f"{url.hostname}:{url.port}")
    assert places
    for place in places:
        host, port = place.split(":")
        assert int(port) == listens_on(host)
        assert host in SERVICES[name]["depends_on"] or "migrate" in SERVICES[name]["depends_on"]


@pytest.mark.parametrize("name", [name for name in SERVICES if "ports" in SERVICES[name]])
def test_each_published_port_is_listened_on(name: str) -> None:
    """The container's side of a published port is where the process listens; hosts' ports do not collide."""
    devices = settings_of("gateway").devices
    others = {devices.hj212_port, devices.sl651_port} if name == "gateway" else set()
    for published in SERVICES[name]["ports"]:
        assert int(published.rsplit(":", 1)[1]) in {listens_on(name)} | others
    ports = [
        published.split(":")[-2] for service in SERVICES.values() for published in service.get("ports", ())
    ]
    assert len(ports) == len(set(ports))


def test_kafka_advertises_itself_as_others_call_it() -> None:
    """The advertised address is the one in the bootstrap setting, the controller's is its listener."""
    given = environment("kafka")
    assert given["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://kafka:{listens_on('kafka')}"
    assert f":{listens_on('kafka')}," in given["KAFKA_LISTENERS"]
    controller = given["KAFKA_CONTROLLER_QUORUM_VOTERS"].split(":")[1]
    assert given["KAFKA_LISTENERS"].endswith(f"CONTROLLER://:{controller}")
    assert given["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_kafka_is_the_version_that_is_tested() -> None:
    """`make test-kafka` runs the same version."""
    pom = ET.parse(ROOT / "tests" / "kafka" / "pom.xml")
    version = pom.findtext(".//{*}kafka.version")
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{version}"


def test_the_example_names_the_variables_that_compose_reads() -> None:
    """.env.example and docker-compose.yml name the same variables."""
    read = {
        found[1] for found in REFERENCE.finditer((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    }
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^(\w+)=", example, re.MULTILINE)) == read


def test_no_secret_has_a_default_that_works() -> None:
    """Each password and key must be given, and the example leaves it empty."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    required = {found[1] for found in REFERENCE.finditer(text) if found[2] == ":?"}
    assert required == VALUES.keys()
    for found in REFERENCE.finditer(text):
        assert (found[1] in required) == (found[2] == ":?"), found[0]
    for name in required:
        assert f"\n{name}=\n" in example
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|_KEY", key):
                assert str(value).startswith("${"), key


def test_each_file_and_volume_exists() -> None:
    """What is mounted from the checkout is there, and named volumes are declared and used."""
    used = set()
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), source
                assert volume.endswith(":ro")
            else:
                used.add(source)
    assert used == set(COMPOSE["volumes"])


def test_each_file_that_the_image_copies_exists() -> None:
    """COPY names files of the checkout that .dockerignore lets through, or an earlier stage."""
    stages = {found[-1] for found in instructions("FROM") if len(found) == 3}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for *sources, _ in instructions("COPY"):
        if sources[0].startswith("--from="):
            assert sources[0].removeprefix("--from=") in stages
            continue
        for source in sources:
            assert (ROOT / source).exists(), source
            assert source not in ignored


def test_the_image_runs_as_nobody_special() -> None:
    """The last stage changes to an account without rights, starts our program and asks for health."""
    last = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    assert "\nUSER fenghuo\n" in last
    assert '\nENTRYPOINT ["fenghuo"]\n' in last
    assert "HEALTHCHECK" in last
    assert json.loads(re.search(r"^CMD (.*)$", last, re.MULTILINE)[1])[0] in commands()  # type: ignore[index]


def test_the_image_installs_what_was_tested() -> None:
    """The runtime lock is the part of the whole lock that production needs: same versions, same hashes."""

    def pins(name: str) -> set[str]:
        return set((ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ").splitlines())

    assert pins("requirements-runtime.lock") - pins("requirements.lock") == set()
    assert pins("requirements-build.lock") - pins("requirements.lock") == set()


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-runtime.lock", "requirements-build.lock"]
)
def test_locks_have_hashes_and_no_addresses(name: str) -> None:
    """Every pin has a hash; nothing names an index or a path."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index|--find-links| @ ", text)
    for block in re.split(r"\n(?=\S)", text.replace("\\\n", " ")):
        assert block.startswith("#") or re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", block), block


def metrics_in(expression: str) -> set[str]:
    """Find our metrics in a query, histograms by their own name."""
    found = re.findall(r"\bfenghuo_\w+", expression)
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in found}


def metrics_of_code() -> set[str]:
    """Find the metrics that the code makes."""
    made = re.compile(r'(?:Counter|Gauge|Histogram)\(\s*"(fenghuo_\w+)"')
    rooms = ("config", "streams", "responders", "dashboards")
    return {
        name
        for room in rooms
        for file in (ROOT / room).rglob("*.py")
        for name in made.findall(file.read_text(encoding="utf-8"))
    }


def test_prometheus_asks_services_where_they_listen() -> None:
    """Each job is one of our processes, at its port; every process is asked; the rule file is there."""
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
    asked = {
        (job["job_name"], *place["names"], place["port"])
        for job in config["scrape_configs"]
        for place in job["dns_sd_configs"]
    }
    assert asked == {(name, name, listens_on(name)) for name in STAGES}
    for file in config["rule_files"]:
        assert (PROMETHEUS / file).exists()


def test_rules_ask_for_metrics_that_exist() -> None:
    """Each alarm has words for people, in both languages, and a query over what the code measures."""
    rules = yaml.safe_load((PROMETHEUS / "rules.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
    assert len(rules) >= 10
    for rule in rules:
        assert metrics_in(rule["expr"]) <= metrics_of_code(), rule["alert"]
        assert {"summary", "summary_zh", "description"} <= rule["annotations"].keys()
        for job in re.findall(r'job="(\w+)"', rule["expr"]):
            assert job in STAGES


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.stem)
def test_boards_show_metrics_that_exist(board: Path) -> None:
    """Each panel asks the provisioned data source for what the code measures."""
    provisioning = ROOT / "dashboards" / "grafana" / "provisioning"
    source = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"][0]
    place = urlsplit(source["url"])
    assert place.port == listens_on(place.hostname or "")
    content = json.loads(board.read_text(encoding="utf-8"))
    for panel in content["panels"]:
        assert panel["datasource"]["uid"] == source["uid"]
        for target in panel["targets"]:
            assert metrics_in(target["expr"]) <= metrics_of_code(), panel["title"]


def test_grafana_finds_its_boards() -> None:
    """The provider's folder and the first page are where compose mounts the boards."""
    assert len(BOARDS) == 4
    provider = yaml.safe_load(
        (ROOT / "dashboards/grafana/provisioning/dashboards/fenghuo.yml").read_text(encoding="utf-8")
    )["providers"][0]
    folder = provider["options"]["path"]
    assert f"./dashboards/grafana/boards:{folder}:ro" in SERVICES["grafana"]["volumes"]
    home = environment("grafana")["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home in {f"{folder}/{board.name}" for board in BOARDS}


def mosquitto() -> dict[str, str]:
    """Read the settings of the MQTT broker's file."""
    lines = (ROOT / "config" / "mosquitto.conf").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))


def test_mosquitto_lets_nobody_in_without_a_password() -> None:
    """Its file forbids the nameless, reads the passwords that the container writes, and listens where compose says."""
    told = mosquitto()
    assert told["allow_anonymous"] == "false"
    assert told["password_file"] in SERVICES["mosquitto"]["command"][-1]
    assert int(told["listener"]) == listens_on("mosquitto")
    mounted = {volume.split(":")[1] for volume in SERVICES["mosquitto"]["volumes"]}
    assert told["acl_file"] in mounted


def test_the_gateway_may_read_what_its_routes_subscribe_to() -> None:
    """It waits for the MQTT broker, uses the account that the container makes, and keeps its name over restarts."""
    settings = settings_of("gateway").mqtt
    assert f'passwords {settings.username} "$$MQTT_PASSWORD"' in SERVICES["mosquitto"]["command"][-1]
    assert settings.password.value == environment("mosquitto")["MQTT_PASSWORD"]
    assert SERVICES["gateway"]["depends_on"]["mosquitto"]["condition"] == "service_healthy"
    assert SERVICES["gateway"]["hostname"]
    rights = (ROOT / "config" / "mosquitto.acl").read_text(encoding="utf-8")
    own = rights.split(f"user {settings.username}\n")[1].split("\n\n")[0].splitlines()
    readable = [line.split()[2] for line in own if line.startswith(("topic read ", "topic readwrite "))]
    for wanted in filters_of(load_data().routes):
        assert any(covers(right, wanted) for right in readable), wanted
    health = SERVICES["mosquitto"]["healthcheck"]["test"][-1]
    assert any(right in health.replace("\\$$", "$") for right in readable)
