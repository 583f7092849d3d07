"""The wall of images at the head of README is what its script draws."""

import importlib.util
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]


def test_the_committed_image_is_what_the_script_draws(monkeypatch, tmp_path):
    spec = importlib.util.spec_from_file_location("draw_wall", ROOT / "scripts" / "draw_wall.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    committed = script.TARGET
    monkeypatch.setattr(script, "TARGET", tmp_path / "wall.png")
    script.main()
    with Image.open(committed) as there, Image.open(tmp_path / "wall.png") as drawn:
        assert drawn.size == there.size == (1582, 592)
        difference = np.asarray(drawn.convert("RGB"), int) - np.asarray(there.convert("RGB"), int)
    assert np.abs(difference).mean() < 1  # versions of Pillow differ in rounding
    assert committed.stat().st_size < 400_000
    assert f"(docs/images/{committed.name})" in (ROOT / "README.md").read_text(encoding="utf-8")
