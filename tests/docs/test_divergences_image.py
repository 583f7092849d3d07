"""The image on the page about divergences agrees with what the page says of them."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("draw_divergences", ROOT / "scripts" / "draw_divergences.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def over(script, kind, drifts):
    found = [script.measured(kind, drift) for drift in drifts]
    return {name: np.array([one[name] for one in found]) for name in found[0]}


def test_boxes_end_without_overlap(script):
    drifts = np.array([0.5, 1.0, 2.0, 3.0])
    found = over(script, "box", drifts)
    assert np.allclose(found["JS(p, q)"], [math.log(2) / 2, *[math.log(2)] * 3])
    assert np.isinf(found["KL(p ‖ q)"]).all() and np.isinf(found["H(p, q)"]).all()
    assert np.allclose(found["H(q)"], math.log(20))
    assert np.allclose(found["W₁"], drifts) and np.allclose(found["Frechet"], drifts**2)
    assert found["MMD²"][3] - found["MMD²"][2] < 0.02 < found["MMD²"][1] - found["MMD²"][0]


def test_gaussians_always_overlap(script):
    drifts = np.array([0.5, 1.0, 2.0, 3.0])
    found = over(script, "gaussian", drifts)
    assert np.allclose(found["KL(p ‖ q)"], drifts**2 / (2 * 0.25), rtol=1e-6)
    assert np.allclose(found["H(p, q)"], found["H(q)"] + found["KL(p ‖ q)"])
    assert (np.diff(found["JS(p, q)"]) > 0).all() and found["JS(p, q)"].max() < math.log(2)
    assert np.allclose(found["W₁"], drifts) and np.allclose(found["Frechet"], drifts**2)
    moments = 3 * drifts**2 + 3 * drifts**4 + (drifts**3 + 0.75 * drifts) ** 2
    assert np.allclose(found["KID"], moments, rtol=0.05)


def test_all_begin_at_zero(script):
    for kind in script.DISTRIBUTIONS.values():
        found = script.measured(kind, 0.0)
        assert all(abs(found[name]) < 0.01 for name in found if not name.startswith("H"))


def test_it_is_drawn_and_committed(script, monkeypatch, tmp_path):
    committed = script.TARGET
    monkeypatch.setattr(script, "TARGET", tmp_path / "images" / "d.png")
    monkeypatch.setattr(script, "DRIFTS", script.DRIFTS[::20])
    script.main()
    with Image.open(committed) as there, Image.open(script.TARGET) as drawn:
        assert drawn.size == there.size
    assert committed.stat().st_size < 50_000
    assert f"(images/{committed.name})" in (ROOT / "docs/divergences.md").read_text(encoding="utf-8")
