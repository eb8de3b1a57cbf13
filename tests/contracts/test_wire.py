"""Every form that a topic ever had can still be read."""

import json
from pathlib import Path

import pytest

from domain import codec
from domain.errors import InvalidInput
from domain.topics import TOPICS

SAMPLES = sorted((Path(__file__).parent / "wire").glob("*.json"))


def test_each_topic_has_a_sample_of_its_present_version() -> None:
    """A new version needs a new stored sample; old samples stay."""
    assert {f"{topic.name}.v{topic.version}.json" for topic in TOPICS.values()} <= {
        path.name for path in SAMPLES
    }


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_stored_sample_decodes_to_what_it_says(path: Path) -> None:
    """Decoding and encoding again gives every field of the stored sample with its value."""
    topic = TOPICS[path.name.rsplit(".v", 1)[0]]
    record = codec.decode(topic, path.read_bytes(), codec.headers_for(topic))
    assert isinstance(record, topic.record)
    again = json.loads(codec.encode(record))
    assert holds(again, json.loads(path.read_text(encoding="utf-8")))


def holds(value: object, sample: object) -> bool:
    """Say whether a value has all that a sample has; later fields may have joined, at any depth."""
    match value, sample:
        case dict(), dict():
            return all(name in value and holds(value[name], part) for name, part in sample.items())
        case list(), list():
            return len(value) == len(sample) and all(map(holds, value, sample))
        case _:
            return value == sample


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_another_kind_or_an_unknown_version_is_refused(topic: object) -> None:
    """A message says what it is, and both lies are told together."""
    headers = [("kind", b"something"), ("version", b"999")]
    with pytest.raises(InvalidInput) as caught:
        codec.decode(topic, b"{}", headers)  # type: ignore[arg-type]  parametrised over Topic
    assert {fault.field for fault in caught.value.faults} == {"kind", "version"}


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_garbage_is_refused(topic: object) -> None:
    """Neither nothing nor noise is taken for a record."""
    for value in (None, b"", b"\x00\xff", b"[]", b"null"):
        with pytest.raises(InvalidInput):
            codec.decode(topic, value, None)  # type: ignore[arg-type]  parametrised over Topic
