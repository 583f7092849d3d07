"""The stubs beside the rooms: fresh, and what a type checker and an editor make of them."""

import importlib

from scripts.stubs import rooms, stub, stubs


def test_stubs_are_fresh(root):
    texts = stubs()
    there = {path.relative_to(root): path.read_text(encoding="utf-8") for path in (root / "src").rglob("*.pyi")}
    assert there == texts, "run `make stubs` (python -m scripts.stubs) and commit what it writes"


def test_every_room_has_a_stub_that_names_its_parts():
    found = {room.__name__ for room in rooms()}
    assert {"zerosum.objectives", "zerosum.metrics.features", "zerosum.recipes"} <= found
    text = stubs()[next(path for path in stubs() if path.parts[-2] == "objectives")]
    assert "from zerosum.objectives import wasserstein as wasserstein\n" in text
    assert "from zerosum.objectives.wasserstein import Hinge as Hinge\n" in text


def test_a_part_stands_for_the_module_of_its_name():
    text = stub(importlib.import_module("zerosum.objectives"), {"wasserstein": "zerosum.objectives.wasserstein"})
    assert "from zerosum.objectives import wasserstein" not in text
    assert "from zerosum.objectives.wasserstein import wasserstein as wasserstein\n" in text
