"""The first line of a report, the data, the slider and the discriminator beside the optimal one."""

import json

import numpy as np
import pytest
import torch

from zerosum.data.dataset import in_memory
from zerosum.data.toys.gaussians import Gaussian1D, Ring
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.report import _discriminator as subject
from zerosum.report._data import real_images
from zerosum.report._discriminator import kolmogorov_smirnov
from zerosum.report._sections import Shown
from zerosum.report.write import write_report
from zerosum.runs.checkpoint import load_checkpoint
from zerosum.runs.discriminator import TrainedDiscriminator
from zerosum.runs.live import differs
from zerosum.training.train import train


def lead(run, make, scores, **values):
    run.path.mkdir(exist_ok=True)
    (run.path / "scores.json").write_text(json.dumps(scores))
    run.log = [make.line(1000, **values)]
    return run.report(make.generator(make.grey)).text.partition("Trained on")[0]


def test_collapse_is_distinguished_from_the_equilibrium(run, make):
    scores = {"modes": 8, "found": 0, "high_quality": 0.0, "kl": 1.9}
    text = lead(run, make, scores, **{"D(x)": 0.52, "D(G(z))": 0.5})
    assert "No mode of the data was found; 0.0% of the samples are near one." in text
    assert "D(x) = 0.52 is not the equilibrium here" in text
    text = lead(run, make, {**scores, "found": 3, "high_quality": 0.4}, **{"D(x)": 0.9, "D(G(z))": 0.1})
    assert "3 of 8 modes of the data were found; 40.0% of the samples are near one." in text
    assert "equilibrium" not in text
    text = lead(run, make, {**scores, "found": 8, "high_quality": 0.97}, **{"D(x)": 0.5, "D(G(z))": 0.5})
    assert "8 of 8 modes" in text and "equilibrium" not in text


def test_scores_have_their_errors_and_direction(run, make):
    text = lead(run, make, {"fid": 12.34, "fid_error": 0.5, "class_accuracy": 0.98, "class_accuracy_ceiling": 0.996})
    assert "98.0% of the samples are classified as the class asked for (real images: 99.6%)." in text
    assert "fid 12.34 ± 0.50 (lower is better)" in text


def test_without_scores_the_command_that_computes_some_is_named(run, make):
    text = run.report(make.generator(make.grey)).text
    assert "No score says yet how near the samples are to the data: zerosum evaluate" in text


def test_scores_of_an_evaluation_under_way_count(run, make):
    run.log = [make.line(500), {"images": 500, "score/kid": 0.25, "error/kid": 0.01}]
    assert "kid 0.250 ± 0.010 (lower is better)" in run.report(make.generator(make.grey)).text


def test_the_data_are_described_with_their_notes(run, make):
    images = torch.arange(8, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 4, 4).contiguous()
    labels = torch.tensor([0, 1] * 4)
    data = in_memory("few", images, labels, ("cat", "dog"), notes=("2 files were left out",))
    text = run.report(make.generator(lambda z, c: make.grey(z), classes=("cat", "dog")), data).text
    assert "images 8 size 4 x 4 pixels, 1 channels classes cat (4), dog (4) 2 files were left out" in text


def test_real_images_stand_in_the_columns_of_their_classes():
    values = torch.tensor([10, 20, 30, 11, 21, 31], dtype=torch.uint8)
    images = values[:, None, None, None].expand(-1, 1, 4, 4).contiguous()
    data = in_memory("few", images, torch.tensor([0, 1, 2, 0, 1, 2]), ("a", "b", "c"))
    assert real_images(data, 7, 3)[:, 0, 0, 0].tolist() == [10, 20, 30, 11, 21, 31, 10]
    assert real_images(data, 3, 0)[:, 0, 0, 0].tolist() == [10, 30, 21]


@pytest.mark.parametrize("apart", [0.0, 0.5, 3.0])
def test_kolmogorov_smirnov_is_the_largest_gap_of_distribution_functions(apart):
    a = np.linspace(0, 1, 1001)
    assert kolmogorov_smirnov(a, a + apart) == pytest.approx(min(apart, 1.0), abs=2e-3)


def trained(tmp_path, make, **changes):
    small = {"generator": MLPGenerator(hidden=(8,)), "discriminator": MLPDiscriminator(hidden=(8,)), "batch": 16}
    return train(make.recipe(images=128, tick=32, snapshot=64, **small, **changes), tmp_path / "run", quiet=True)


def test_a_run_on_the_line_shows_d_and_the_optimal_d(tmp_path, make):
    run = trained(tmp_path, make, data=Gaussian1D(count=500), ema=1e9)
    text = make.Page(run.report.read_text()).text
    assert "D over x, and the optimal D for these samples, p(x) / (p(x) + q(x))." in text
    assert "V = −log 4 alone does not mean that the distributions are equal" in text
    assert "The standard deviation of the samples is" in text and "of the data 0.5" in text


class Threefold(torch.nn.Module):
    def forward(self, x):
        return 3 * x


def test_the_curves_are_of_d_and_of_the_optimal_d(make, monkeypatch):
    """Of N(0, 1) against N(1, 1), D* = 1 / (1 + exp(x - 1/2)); D is given, with scores 3 x."""
    drawn = []
    monkeypatch.setattr(subject, "line_chart", lambda curves, *_, **__: drawn.extend(curves) or "")
    generator = make.generator(lambda z: z[:, :1] + 1, (1,))
    trained = TrainedDiscriminator(generator.recipe, Threefold(), (1,), 0, None)
    real = in_memory("line", torch.randn(50_000, 1, generator=torch.Generator().manual_seed(1)))
    page = subject.discriminator(generator, trained, real).body
    d, optimal = drawn
    np.testing.assert_allclose(d.y, 1 / (1 + np.exp(-3 * d.x)), atol=1e-6)
    inner = (optimal.x > -1.5) & (optimal.x < 2.5)
    assert inner.sum() > 20
    np.testing.assert_allclose(optimal.y[inner], 1 / (1 + np.exp(optimal.x[inner] - 0.5)), atol=0.05)
    assert "(Kolmogorov-Smirnov distance) is 0.38" in page, "2 Phi(1/2) - 1 = 0.383"


def test_the_live_generator_is_shown_where_it_differs_from_its_average(tmp_path, make):
    run = trained(tmp_path / "slow", make, data=Ring(count=500), ema=1e9, ema_rampup=1e9)
    shown = "Green: points of the live generator" in make.Page(write_report(run).read_text()).text
    assert shown == differs(run.generator, run.live)
    moved = run.live
    for parameter in moved.module.parameters():
        parameter.add_(3.0)
    assert differs(run.generator, moved) and not differs(run.generator, run.generator)
    found = {section.anchor: section for section in Shown.of(run, run.generator, {}, None)._points(moved)}
    assert "Green: points of the live generator" in found["points"].body
    assert "The live generator finds" in found["points"].body


def test_live_weights_are_those_of_g(tmp_path, make):
    run = trained(tmp_path, make, data=Ring(count=500), ema=1e9)
    groups = load_checkpoint(run.checkpoints[0]).groups
    for name, tensor in run.live.module.state_dict().items():
        assert torch.equal(tensor, groups["G"][name])
    assert [int(path.stem) for path in run.samples] == [0, 64, 128]
