"""The comparison with a peer, with stand-ins for its Python and its library."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from benchmarks.peers import peer_particlegan, peers

from zerosum.bench.modes import Result
from zerosum.bench.tasks import tasks
from zerosum.metrics.modes import ModeCoverage

RING = tasks()[0]
OURS = [Result("ring-8", "ring", seed, ModeCoverage(8, 8, 0.97, 0.01), 1000, 20.0, 10.0 + seed) for seed in range(2)]
STAND_IN = """#!{python}
import sys
import numpy as np
program, points, out, *options = sys.argv[1:]
assert program.endswith("peer_particlegan.py"), program
options = dict(zip(options[::2], options[1::2]))
assert options["--cpu"] == str(10.0 + int(options["--seed"])), options
if {fails}:
    sys.exit("no such luck")
np.savez(out, samples=np.load(points)[: int(options["--samples"])], steps=7, cpu_seconds=1.0, version="0.0")
"""


def stand_in(folder, fails=False):
    path = folder / "python"
    path.write_text(STAND_IN.format(python=sys.executable, fails=fails))
    path.chmod(0o755)
    return path


def test_the_peer_gets_our_seconds_and_is_read_as_we_are(tmp_path):
    found = peers.play_peer(RING, OURS, stand_in(tmp_path), tmp_path / "out", 2)
    assert [(r.task, r.game, r.seed, r.images) for r in found] == [
        ("ring-8", "particlegan 0.0", 0, 7), ("ring-8", "particlegan 0.0", 1, 7),
    ]  # fmt: skip
    assert all(r.coverage.found == 8 and r.coverage.high_quality > 0.98 and r.cpu_seconds > 0 for r in found)
    again = peers.play_peer(RING, OURS, stand_in(tmp_path, fails=True), tmp_path / "out", 2)
    assert again == found, "what is there is not run again"


def test_what_is_missing_or_fails_is_reported(tmp_path):
    with pytest.raises(ValueError, match=r"there is no .*absent: run `make peers` first"):
        peers.play_peer(RING, OURS, tmp_path / "absent", tmp_path / "out", 1)
    with pytest.raises(ValueError, match=r"the peer ended with 1; its output is in .*00-10\.0s\.log"):
        peers.play_peer(RING, OURS, stand_in(tmp_path, fails=True), tmp_path / "out", 1)
    assert (tmp_path / "out/ring-8/particlegan/00-10.0s.log").read_text() == "no such luck\n"


def test_the_command_prints_both_in_one_table(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(peers, "run_games", lambda cells, *rest: (OURS[: len(cells)], []))
    words = ["--tasks", "ring-8", "--seeds", "2", "--python", str(stand_in(tmp_path)), "--out", str(tmp_path / "out")]
    assert peers.main(words) == 0
    out = capsys.readouterr().out
    assert "| ring | 2 | 2 of 2 |" in out and "| particlegan 0.0 | 2 | 2 of 2 |" in out
    monkeypatch.setattr(peers, "run_games", lambda *all: ([], ["ring-8  ring  seed 0 failed: x"]))
    assert peers.main(words) == 1 and "peers: ring-8  ring  seed 0 failed" in capsys.readouterr().err


class Recipe(SimpleNamespace):
    def make_prior(self):
        return torch.nn.Linear(1, 1)


class Trainer:
    """Spends a second of its clock in each step, later four, and remembers what it was given."""

    clock = 100.0

    def __init__(self, recipe, G, D, prior, seed):
        self.recipe, self.G, self.D, self.seed, self.batches = recipe, G, D, seed, []

    def step(self, real):
        self.batches.append(real)
        Trainer.clock += 1.0 if Trainer.clock < 110.0 else 4.0

    def sample(self, count):
        return self.G(torch.zeros(count, self.recipe.z_dim))


def test_the_library_trains_until_the_seconds_are_spent(monkeypatch):
    made = []
    library = SimpleNamespace(
        get_recipe=lambda total_steps: Recipe(total_steps=total_steps, z_dim=3, batch_size=16),
        init=SimpleNamespace(deterministic_orthogonal_=lambda module, seed=0: module),
        GANTrainer=lambda *parts, prior, seed: made.append(Trainer(*parts, prior, seed)) or made[-1],
    )
    monkeypatch.setattr(Trainer, "clock", 100.0)
    monkeypatch.setattr(peer_particlegan, "time", SimpleNamespace(process_time=lambda: Trainer.clock))
    points = torch.arange(40.0).view(20, 2)
    samples, steps = peer_particlegan.play(library, points, 130.0, seed=4, samples=9)
    probe, real = made
    assert samples.shape == (9, 2) and len(probe.batches) == peer_particlegan.PROBES == 5
    assert real.recipe.total_steps == 25, "a step took a second, and 25 s were left"
    assert steps == len(real.batches) == 10, "five at the speed of the probe, five at a quarter of it"
    assert (probe.seed, real.seed) == (4, 4)
    assert all(len(batch) == 16 for batch in real.batches)
    assert np.isin(torch.cat(real.batches).numpy(), points.numpy()).all()
    widths = [[layer.out_features for layer in net if isinstance(layer, torch.nn.Linear)] for net in (real.G, real.D)]
    assert widths == [[192, 192, 192, 2], [128, 128, 1]]
