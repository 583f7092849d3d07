"""User-defined metrics and feature extractors in the evaluations of a run."""

import errno
import json
from dataclasses import dataclass, replace
from types import MappingProxyType

import pytest
import torch

from zerosum.data.sources.digits import Digits
from zerosum.data.toys.gaussians import Ring
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.evaluate import Evaluator, evaluate
from zerosum.evaluation.measure import FunctionMeasure, Needs, Score, ScoreInfo
from zerosum.evaluation.measures.prdc import PRDC
from zerosum.evaluation.scores import read_scores
from zerosum.game.latents import Normal
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.evaluation import Evaluation
from zerosum.recipes.reader import read
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.recipes.settings import with_setting
from zerosum.runs.generator import load
from zerosum.runs.log import is_evaluation, read_log
from zerosum.runs.run import Run
from zerosum.training.train import train

pytestmark = pytest.mark.usefixtures("plotless")


def gap(real, fake):
    return float((real.double().mean(0) - fake.double().mean(0)).norm())


def corners(images):
    return images.float().flatten(1)[:, [0, 20, -1]] / 255


@dataclass(frozen=True)
class Spread:
    """Mean squared norm of the generated features."""

    name = "spread"
    needs = Needs.both("features")
    gives = MappingProxyType({"spread": ScoreInfo("higher", "Mean squared norm.")})
    scale: float = 1.0

    @property
    def how(self):
        return f"times {self.scale}"

    def __call__(self, inputs):
        return {"spread": Score(self.scale * float(inputs.fake.features.square().sum(1).mean()), 0.0)}


@dataclass(frozen=True)
class Corners:
    """Some pixels."""

    count: int = 3

    @property
    def facts(self):
        return {"name": "corners", "weights": "none", "resize": "none", "dtype": f"{self.count}"}

    def __call__(self, images):
        from zerosum.features.extractor import Features

        return Features(corners(images)[:, : self.count])


@dataclass(frozen=True)
class Needy:
    scale: float


POINTS = Recipe(
    name="points",
    data=Ring(count=200),
    generator=MLPGenerator(hidden=(8,)),
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=NonSaturating(),
    latent=Normal(2),
    batch=16,
    images=320,
    tick=160,
    snapshot=160,
    evaluation=Evaluation(("kid", gap, Spread(2.0)), every=80, n=60, best="spread"),
)
DIGITS = replace(
    POINTS, name="pixels", data=Digits(), images=64, evaluation=Evaluation((gap,), every=32, n=20, features=corners)
)
KNOWN = {"gap": gap, "Spread": Spread, "corners": corners, "Corners": Corners}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def scored(run):
    lines = [line for line in read_log(run) if is_evaluation(line)]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def test_recipe_text_has_names_of_functions_and_constructors_of_metrics():
    text = pretty(POINTS)
    assert "metrics=('kid', 'gap', Spread(scale=2.0))" in text and "known" not in text
    assert "features='corners'" in pretty(DIGITS)
    for recipe in (POINTS, DIGITS):
        again = read(pretty(recipe), KNOWN)
        assert again == recipe and again.evaluation.known == recipe.evaluation.known
    assert read(pretty(DIGITS)).evaluation.known == {}
    options = Evaluation(("fid", PRDC(k=3)))
    assert read(repr(options)) == options and options.metrics[1].k == 3
    assert replace(DIGITS.evaluation, every=99).known == {"gap": gap, "corners": corners}


def test_a_setting_finds_names_among_known_parts():
    plain = replace(DIGITS, evaluation=Evaluation(("fid",)))
    changed = with_setting(plain, "evaluation.features='corners'", KNOWN)
    changed = with_setting(changed, "evaluation.metrics=('gap', 'fid')", KNOWN)
    assert changed.evaluation.known == {"gap": gap, "corners": corners}


def test_a_run_is_scored_by_own_metrics_and_keeps_the_best_by_one(tmp_path):
    run = train(POINTS, tmp_path / "run", quiet=True)
    lines = scored(run)
    assert [line["images"] for line in lines] == [80, 160, 240, 320]
    assert all({"score/kid", "score/gap", "error/gap", "score/spread"} <= line.keys() for line in lines)
    best = max(lines, key=lambda line: line["score/spread"])
    scores = json.loads((run / "scores.json").read_text())
    assert scores["best_spread"] == best["score/spread"] and scores["best_spread_images"] == best["images"]
    assert load(run / "best.safetensors").images == best["images"]
    last = evaluate(POINTS.data, run.generator, (gap, Spread(2.0)), EvaluationConfig(n=60))
    assert last.values["gap"] == pytest.approx(lines[-1]["score/gap"], rel=1e-5)
    assert last.values["spread"] == pytest.approx(lines[-1]["score/spread"], rel=1e-5)
    noted = json.loads((run / "versions.json").read_text())
    assert {key: noted[f"class {key}"][:23] for key in ("gap", "Spread")} == dict.fromkeys(
        ("gap", "Spread"), "test_own_evaluation.py,"
    )
    assert run.recipe.evaluation.known == {"gap": gap} and isinstance(run.recipe.evaluation.metrics[2], Spread)
    assert Run(run).recipe.evaluation.known == {}, "readable without them"
    assert Run(run).best.images == best["images"]


@pytest.mark.parametrize("features", [corners, Corners(2)])
def test_a_run_is_scored_on_own_features(tmp_path, features):
    recipe = replace(DIGITS, evaluation=replace(DIGITS.evaluation, features=features))
    run = train(recipe, tmp_path / "run", quiet=True)
    kept = read_scores(run / "evaluation.json")
    again = evaluate(Digits(), run, (gap,), EvaluationConfig(features, n=20))
    assert again.values["gap"] == pytest.approx(kept.values["gap"], rel=1e-5)
    assert kept.protocol["features.name"] == "corners"
    expected = evaluate(Digits(), run, (gap,), EvaluationConfig("corners", n=20, known=KNOWN))
    assert expected.protocol["features.code" if features is corners else "features.weights"]


def test_a_resumed_run_has_the_scores_of_an_uninterrupted_one(tmp_path):
    whole = train(POINTS, tmp_path / "whole", quiet=True)
    run = train(replace(POINTS), tmp_path / "run", quiet=True)
    for name in ("generator.safetensors", "best.safetensors", "scores.json"):
        (run / name).unlink()
    max((run / "checkpoints").iterdir()).rename(tmp_path / "moved")
    resumed = train(read(pretty(POINTS), KNOWN), run, quiet=True)
    assert scored(resumed) == scored(whole) and read_log(run)[-1]["images"] == 320
    assert (run / "generator.safetensors").read_bytes() == (whole / "generator.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": (lambda real, fake: 0.0,)}, "a lambda has no name to load the run by: pass a function defined"),
        ({"metrics": (gap, lambda: 0), "known": {}}, "a lambda has no name"),
        ({"metrics": (gap,), "known": {"gap": corners}}, "two functions of an evaluation are called 'gap': rename one"),
    ],
)
def test_functions_without_a_unique_name_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Evaluation(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"metrics": ("gap",), "best": None},
            r"unknown metric 'gap'; .*; if it is yours, pass --use FILE.py \(or known=",
        ),
        ({"metrics": (Spread,)}, r"Spread is a class: pass an instance, Spread\(\)"),
        (
            {"metrics": ("Needy",), "known": {"Needy": Needy}},
            r"Needy\(\) fails: .*'scale'; give every field",
        ),
        (
            {"metrics": (gap,), "best": "gap"},
            r"Evaluation\.best names a score of its metrics that has a better",
        ),
        ({"metrics": (FunctionMeasure(gap),)}, "this recipe cannot be written as text"),
    ],
)
def test_what_cannot_be_scored_is_refused_before_training(tmp_path, options, message):
    recipe = replace(POINTS, evaluation=replace(POINTS.evaluation, **{"known": {}, "best": None, **options}))
    with pytest.raises(ValueError, match=message):
        train(recipe, tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def test_features_that_are_not_known_are_refused_before_training(tmp_path):
    recipe = read(pretty(DIGITS), {"gap": gap})
    with pytest.raises(ValueError, match=r"no extractor is called 'corners'; .*file of yours, pass --use FILE.py"):
        train(recipe, tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def test_own_names_take_precedence_over_built_in_ones():
    images = torch.randint(0, 256, (4, 8, 8, 3), dtype=torch.uint8)
    found = EvaluationConfig("pixels", known={"pixels": corners}).extractor()
    assert torch.equal(found(images).features, corners(images)) and found.facts["name"] == "pixels"


def never(real, fake):
    raise KeyError("this metric cannot work")


def many(real, fake):
    if len(real) < 100:
        raise ValueError("a hundred samples, please")
    return float(len(fake))


def test_an_evaluation_is_tried_before_the_first_image(tmp_path):
    plan = Evaluation((never,), every=80, n=60)
    with pytest.raises(KeyError, match="this metric cannot work"):
        train(replace(POINTS, evaluation=plan), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()
    run = train(replace(POINTS, evaluation=Evaluation((many,), every=160, n=100)), tmp_path / "many", quiet=True)
    assert [line["score/many"] for line in scored(run)] == [100.0, 100.0], "a metric may need more than a few samples"


def test_an_evaluation_that_fails_later_ends_nothing(tmp_path, monkeypatch, capsys):
    recipe, calls = replace(POINTS, evaluation=Evaluation((gap,), every=80, n=60)), []
    score = Evaluator.score

    def failing(evaluator, *arguments):
        calls.append(1)
        if len(calls) in (3, 5):  # after the one before the first image
            raise OSError(errno.ENOSPC, "No space left on device")
        return score(evaluator, *arguments)

    monkeypatch.setattr(Evaluator, "score", failing)
    run = train(recipe, tmp_path / "run")
    assert [line["images"] for line in scored(run)] == [80, 240]
    assert "no scores after 160 images: OSError: [Errno 28] No space left on device" in capsys.readouterr().err
    assert (run / "generator.safetensors").is_file()


def test_a_run_that_can_no_longer_be_scored_is_finished_without(tmp_path, capsys):
    recipe = replace(POINTS, evaluation=Evaluation((gap,), every=80, n=60))
    run = train(recipe, tmp_path / "run", quiet=True)
    (run / "generator.safetensors").unlink()
    train(read(pretty(recipe)), run)
    assert "this run goes on without scores: unknown metric 'gap'" in capsys.readouterr().err
    assert (run / "generator.safetensors").is_file()
