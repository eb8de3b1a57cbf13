"""Draw docs/images/data-flow.svg: `python docs/draw_data_flow.py`. A test holds the arrows against the code."""

from pathlib import Path
from xml.sax.saxutils import escape

TARGET = Path(__file__).parent / "images" / "data-flow.svg"

# name: (x, y, width, height, kind, English, Chinese)
BOXES = {
    "sensors": (20, 96, 140, 52, "outside", "Sensors", "监测设备"),
    "hotline": (20, 176, 140, 52, "outside", "12345 hotline", "热线工单"),
    "grid": (20, 256, 140, 52, "outside", "Grid workers", "网格上报"),
    "official": (20, 336, 140, 52, "outside", "Warnings", "外部预警"),
    "gateway": (220, 96, 130, 292, "process", "gateway", "校验 · 加密 · 打包"),
    "feed.readings": (410, 96, 150, 52, "topic", "feed.readings", "读数"),
    "feed.tickets": (410, 176, 150, 52, "topic", "feed.tickets", "工单"),
    "feed.reports": (410, 256, 150, 52, "topic", "feed.reports", "上报"),
    "feed.bulletins": (410, 336, 150, 52, "topic", "feed.bulletins", "外部预警"),
    "stream": (620, 96, 150, 292, "process", "stream", "检测 · 统计 · 融合"),
    "rollups": (830, 96, 130, 52, "topic", "rollups", "分钟汇总"),
    "findings": (830, 176, 130, 52, "topic", "findings", "异常"),
    "alerts": (830, 256, 130, 52, "topic", "alerts", "预警"),
    "respond": (1020, 96, 140, 292, "process", "respond", "立案 · 派单 · 升级"),
    "postgresql": (1020, 452, 140, 64, "store", "PostgreSQL", "事件 · 任务 · 时限"),
    "console": (1220, 452, 130, 64, "process", "console", "值守台"),
    "officers": (1220, 96, 130, 292, "outside", "Officers", "乡镇 → 县 → 市 → 省"),
    "device.*": (20, 452, 140, 64, "topic", "device.*", "设备指令与应答"),
    "registry.*": (220, 452, 130, 64, "topic", "registry.*", "区域 · 设备 · 监测项"),
    "feed.dispositions": (620, 452, 150, 64, "topic", "feed.dispositions", "研判结论"),
    "feed.rejected": (410, 548, 150, 52, "topic", "feed.rejected", "拒收及原因"),
    "heartbeats": (830, 548, 130, 52, "topic", "heartbeats", "心跳"),
    "calibrations": (640, 548, 150, 52, "topic", "calibrations", "校准"),
    "sightings": (410, 664, 150, 52, "topic", "sightings", "设备在线情况"),
}

# from, to, points of the line
ARROWS = [
    ("sensors", "gateway", [(160, 122), (220, 122)]),
    ("hotline", "gateway", [(160, 202), (220, 202)]),
    ("grid", "gateway", [(160, 282), (220, 282)]),
    ("official", "gateway", [(160, 362), (220, 362)]),
    ("gateway", "feed.readings", [(350, 122), (410, 122)]),
    ("gateway", "feed.tickets", [(350, 202), (410, 202)]),
    ("gateway", "feed.reports", [(350, 282), (410, 282)]),
    ("gateway", "feed.bulletins", [(350, 362), (410, 362)]),
    ("feed.readings", "stream", [(560, 122), (620, 122)]),
    ("feed.tickets", "stream", [(560, 202), (620, 202)]),
    ("feed.reports", "stream", [(560, 282), (620, 282)]),
    ("feed.bulletins", "stream", [(560, 362), (620, 362)]),
    ("stream", "rollups", [(770, 122), (830, 122)]),
    ("stream", "findings", [(770, 192), (830, 192)]),
    ("findings", "stream", [(830, 212), (770, 212)]),
    ("stream", "alerts", [(770, 282), (830, 282)]),
    ("rollups", "respond", [(960, 122), (1020, 122)]),
    ("alerts", "respond", [(960, 276), (1020, 276)]),
    ("respond", "alerts", [(1020, 296), (960, 296)]),
    ("feed.tickets", "respond", [(560, 186), (576, 186), (576, 68), (1060, 68), (1060, 96)]),
    ("feed.reports", "respond", [(560, 266), (586, 266), (586, 76), (1080, 76), (1080, 96)]),
    ("feed.bulletins", "respond", [(560, 346), (596, 346), (596, 84), (1100, 84), (1100, 96)]),
    ("respond", "postgresql", [(1080, 388), (1080, 452)]),
    ("postgresql", "respond", [(1110, 452), (1110, 388)]),
    ("respond", "officers", [(1160, 242), (1220, 242)]),
    ("postgresql", "console", [(1160, 474), (1220, 474)]),
    ("console", "postgresql", [(1220, 496), (1160, 496)]),
    ("console", "officers", [(1270, 452), (1270, 388)]),
    ("officers", "console", [(1300, 388), (1300, 452)]),
    ("respond", "registry.*", [(1035, 388), (1035, 424), (260, 424), (260, 452)]),
    ("registry.*", "gateway", [(310, 452), (310, 388)]),
    ("registry.*", "stream", [(350, 500), (590, 500), (590, 372), (620, 372)]),
    ("respond", "feed.dispositions", [(1050, 388), (1050, 436), (720, 436), (720, 452)]),
    ("feed.dispositions", "stream", [(670, 452), (670, 388)]),
    ("gateway", "feed.rejected", [(235, 388), (235, 440), (200, 440), (200, 574), (410, 574)]),
    ("stream", "feed.rejected", [(640, 388), (640, 440), (600, 440), (600, 574), (560, 574)]),
    ("feed.rejected", "respond", [(485, 600), (485, 640), (1190, 640), (1190, 372), (1160, 372)]),
    (
        "respond",
        "feed.rejected",
        [(1150, 388), (1150, 420), (1176, 420), (1176, 626), (520, 626), (520, 600)],
    ),
    ("gateway", "heartbeats", [(250, 388), (250, 432), (210, 432), (210, 530), (850, 530), (850, 548)]),
    ("stream", "heartbeats", [(755, 388), (755, 416), (800, 416), (800, 520), (880, 520), (880, 548)]),
    ("stream", "calibrations", [(630, 388), (630, 432), (608, 432), (608, 540), (660, 540), (660, 548)]),
    ("calibrations", "respond", [(715, 600), (715, 613), (988, 613), (988, 340), (1020, 340)]),
    ("device.*", "gateway", [(130, 452), (130, 426), (228, 426), (228, 388)]),
    ("gateway", "device.*", [(222, 388), (222, 412), (70, 412), (70, 452)]),
    ("gateway", "sightings", [(243, 388), (243, 436), (186, 436), (186, 690), (410, 690)]),
    ("sightings", "respond", [(560, 690), (1204, 690), (1204, 352), (1160, 352)]),
    ("heartbeats", "respond", [(960, 574), (1000, 574), (1000, 372), (1020, 372)]),
]

STYLE = """
text{font-family:system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;fill:#1b2733}
.en{font-size:14px;font-weight:600}.zh{font-size:12px;fill:#4a5a6a}
.outside{fill:#f4f6f8;stroke:#9aa8b5}.process{fill:#e5effd;stroke:#1f66e5}.topic{fill:#fff8e6;stroke:#c08a1e}
.store{fill:#e9f6ec;stroke:#2c8a4b}path.arrow{fill:none;stroke:#5b6b7a;stroke-width:1.4}
.title{font-size:19px;font-weight:700}.note{font-size:12px;fill:#4a5a6a}
"""


def draw() -> str:
    """Draw the whole picture as SVG text."""
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1370 740" role="img" aria-label="The way of the data">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">',
        '<path d="M0 0L8 4L0 8z" fill="#5b6b7a"/></marker></defs>',
        '<rect width="1370" height="740" fill="#ffffff"/>',
        '<text class="title" x="20" y="36">The way of the data 数据流</text>',
        '<text class="note" x="330" y="36">blue: process 进程 · yellow: Kafka topic 主题 · green: database 数据库</text>',
    ]
    for start, end, points in ARROWS:
        line = "M" + " L".join(f"{x} {y}" for x, y in points)
        parts.append(
            f'<path class="arrow" data-from="{start}" data-to="{end}" d="{line}" marker-end="url(#tip)"/>'
        )
    for name, (x, y, width, height, kind, english, chinese) in BOXES.items():
        middle, centre = x + width / 2, y + height / 2
        parts += [
            f'<g data-box="{name}" data-kind="{kind}">',
            f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>',
            f'<text class="en" x="{middle}" y="{centre - 3}" text-anchor="middle">{escape(english)}</text>',
            f'<text class="zh" x="{middle}" y="{centre + 16}" text-anchor="middle">{escape(chinese)}</text></g>',
        ]
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    TARGET.write_text(draw(), encoding="utf-8")
