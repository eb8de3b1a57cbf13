"""The field app as files: everything that its page imports is known, and its worker's text names this release."""

import json
import re

import pytest

from dashboards.field_app import STATIC_FOLDER, WORKER, modules, worker_of

pytestmark = pytest.mark.skipif(not (STATIC_FOLDER / "vendor").exists(), reason="run `make assets`")


def test_every_module_is_named() -> None:
    """All that the page imports, and what that imports, is there; nothing of the console's other pages is."""
    names = modules()
    assert {"field.js", "field-store.js", "vendor/idb.js", "vendor/preact.js", "words.js"} <= set(names)
    assert not {"live.js", "stream.js", "vendor/uplot.js", "vendor/leaflet.js"} & set(names)
    assert all((STATIC_FOLDER / name).is_file() for name in names)


def test_a_release_is_a_text_of_its_own() -> None:
    """Another release's worker differs, imports its own files only, and keeps all that the worker itself needs."""
    one, other = worker_of("/static/aaa", "1"), worker_of("/static/bbb", "1")
    assert one != other
    assert not re.search(r'from "\./', one)
    found = re.search(r"const RELEASE = (\{.*\});", one)
    assert found is not None
    release = json.loads(found[1])
    assert release["version"] == "aaa-1"
    assert {f"/static/aaa/{name}" for name in modules(WORKER)[1:]} <= set(release["files"])
    assert worker_of("/static/aaa", "2") != one  # other texts are another release too
