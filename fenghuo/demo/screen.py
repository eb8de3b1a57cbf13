"""Shows how far the demo is: a bar of county time, addresses and accounts; plain lines where nobody looks."""

from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from domain.areas import AreaLevel
from domain.registry import Protocol
from fenghuo.demo.county import County
from fenghuo.demo.readings import SHANGHAI
from fenghuo.platform import Platform


class RichScreen:
    """A screen for people; on standard error, so that standard output is left to reports."""

    def __init__(self) -> None:
        """Begin with nothing shown."""
        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[at]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._bar = self._progress.add_task("", total=1.0, at="", visible=False)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def step(self, text: str) -> None:
        """Tell what begins."""
        self._console.print(f"[dim]{datetime.now():%H:%M:%S}[/dim] {text} …")  # noqa: DTZ005  # for who watches
        self._progress.update(self._bar, visible=False)

    def open_doors(self, platform: Platform, password: str, county: County, connection: Path) -> None:
        """Tell addresses, accounts, and the file with what another command needs to join in."""
        table = Table("login", "post 岗位", "sees 范围", box=None, padding=(0, 2))
        table.add_row("c00", "示例县应急指挥中心", "the county")
        for area in county.places.at_level(AreaLevel.TOWNSHIP)[:3]:
            table.add_row(
                f"t{area.code[AreaLevel.COUNTY :]}", f"{area.name}值班室", f"{area.name} {area.code}"
            )
        table.add_row("s00, p00", "市、省值班室", "city, province")
        self._console.print(
            f"\nConsole 控制台  [bold]{platform.console}[/bold]   password 密码 [bold]{password}[/bold]"
        )
        self._console.print(table)
        devices = ", ".join(
            f"{name} 127.0.0.1:{platform.device_port(protocol)}"
            for name, protocol in (("HJ 212", Protocol.HJ212), ("SL 651", Protocol.SL651))
        )
        self._console.print(f"Gateway 接入网关  {platform.gateway}   devices 设备接入 {devices}")
        self._console.print(f"MQTT  {platform.mqtt}   topics fenghuo/DEVICE/CHANNEL")
        self._console.print(f"Broker, database, keys for other commands: [bold]. {connection}[/bold]\n")

    def county_time(self, at: datetime, since: datetime, until: datetime) -> None:
        """Tell how far the county's time is."""
        self._progress.update(
            self._bar,
            visible=True,
            description="county time 县域时间",
            completed=(at - since) / (until - since),
            at=f"{at.astimezone(SHANGHAI):%m-%d %H:%M}",
        )

    def first_alert(self, seconds: float) -> None:
        """Tell that the first alert stands in the console."""
        self._console.print(f"First alert in the console {seconds:.0f} s after the services started.")
