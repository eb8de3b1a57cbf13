"""The drawn data flow agrees with the code."""

import ast
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from domain import topics
from domain.topics import TOPICS

ROOT = Path(__file__).parents[3]
PICTURE = ROOT / "docs" / "images" / "data-flow.svg"
ROOMS = {"gateway": "streams", "stream": "streams", "respond": "responders"}
CONSTANTS = {name: value.name for name, value in vars(topics).items() if isinstance(value, topics.Topic)}


def is_meant(box: str, topic: str) -> bool:
    """Say whether a box stands for a topic; one box stands for the whole registry, and one for what devices are asked."""
    return box == topic or (box.endswith(".*") and topic.startswith(box.removesuffix("*")))


def drawn() -> set[tuple[str, str]]:
    """Read the pairs (room, topic) that an arrow joins, in whatever direction."""
    arrows = ET.parse(PICTURE).iter("{http://www.w3.org/2000/svg}path")
    ends = [
        (arrow.get("data-from", ""), arrow.get("data-to", "")) for arrow in arrows if arrow.get("data-from")
    ]
    pairs = set()
    for start, end in ends:
        for process, topic in ((start, end), (end, start)):
            if process in ROOMS:
                pairs |= {(ROOMS[process], name) for name in TOPICS if is_meant(topic, name)}
    return pairs


def written() -> set[tuple[str, str]]:
    """Find the topic constants that the code of each room names."""
    pairs = set()
    for room in set(ROOMS.values()):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                name = node.id if isinstance(node, ast.Name) else None
                if (
                    isinstance(node, ast.Attribute) and ast.unparse(node.value) != "Feed"
                ):  # a feed is no topic
                    name = node.attr
                if name in CONSTANTS:
                    pairs.add((room, CONSTANTS[name]))
    return pairs


def test_every_arrow_between_a_process_and_a_topic_is_in_the_code_and_the_other_way_round() -> None:
    """An arrow without code, or code without an arrow, is a wrong picture."""
    assert drawn() == written()


def test_every_topic_is_drawn() -> None:
    """No topic is missing from the picture."""
    boxes = {box.get("data-box", "") for box in ET.parse(PICTURE).iter("{http://www.w3.org/2000/svg}g")}
    for name in TOPICS:
        assert any(is_meant(box, name) for box in boxes), name


def test_the_picture_is_what_its_script_draws() -> None:
    """The stored picture was not edited by hand."""
    namespace: dict[str, object] = {"__file__": str(ROOT / "docs" / "draw_data_flow.py"), "__name__": "draw"}
    exec((ROOT / "docs" / "draw_data_flow.py").read_text(encoding="utf-8"), namespace)
    draw = namespace["draw"]
    if not callable(draw):
        pytest.fail("docs/draw_data_flow.py has no draw()")
    assert draw() == PICTURE.read_text(encoding="utf-8")
