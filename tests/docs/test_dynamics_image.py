"""The image of the Dirac-GAN agrees with what the page says of it."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("draw_dynamics", ROOT / "scripts" / "draw_dynamics.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_first_five_do_not_arrive_and_the_others_do(script):
    ends = [
        float(game.trajectory([1.2, 0.0], 150, 0.2, alternating)[-10:].norm(dim=1).max())
        for game, alternating in script.GAMES.values()
    ]
    assert all(end > 0.3 for end in ends[:5]) and all(end < 0.01 for end in ends[5:]), ends
    texts = [script.eigenvalues(game) for game, _ in script.GAMES.values()]
    assert texts[:2] == [": ± 0.50 i"] * 2 and texts[4] == "" and texts[6] == ": -0.25 ± 0.43 i"
