"""A run that holds pairs out is scored on them."""

from dataclasses import replace

import pytest

from zerosum.data.pairs.grayscale import Grayscale
from zerosum.evaluation.evaluate import evaluate
from zerosum.evaluation.scores import read_scores
from zerosum.networks.patch import PatchDiscriminator
from zerosum.networks.unet_generator import UNet
from zerosum.recipes import Evaluation, colorize
from zerosum.training.train import train

pytestmark = pytest.mark.usefixtures("plotless")


def test_a_run_that_holds_samples_out_is_scored_on_them(tmp_path):
    paired = replace(
        colorize(),
        generator=UNet(size=4, norm="none"),
        discriminator=PatchDiscriminator(size=4, layers=1),
        batch=8,
        images=16,
        tick=16,
        snapshot=16,
        evaluation=Evaluation(("mae",), every=16),
    )
    run = train(paired, tmp_path / "run", quiet=True)
    scored, count = read_scores(run / "evaluation.json"), len(Grayscale(part="test").open())
    assert 100 < count < 2_048 and scored.protocol["real.n"] == count
    assert scored.values["mae"] == pytest.approx(
        evaluate(Grayscale(part="test"), run, ("mae",)).values["mae"], rel=1e-4
    )
