"""A run that is scored from time to time learns the same, and goes on as if it had never stopped."""

import json
import signal
import sys
from dataclasses import replace

import pytest
import torch

from zerosum.cli import main
from zerosum.data.sources.digits import Digits
from zerosum.data.toys.gaussians import Ring
from zerosum.evaluation.best import Criterion, best_line
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.evaluate import evaluate
from zerosum.evaluation.scores import read_scores
from zerosum.game.game import Game
from zerosum.game.latents import Normal
from zerosum.networks.fastgan_discriminator import FastGANDiscriminator
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.networks.stylegan2 import StyleGAN2Generator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes import Evaluation, read, with_setting
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.report.write import write_report
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.runs.generator import load
from zerosum.runs.log import is_evaluation, read_log
from zerosum.terms.gradient_penalties import R1
from zerosum.terms.schedules import Every
from zerosum.training.signals import Terminated
from zerosum.training.train import train

POINTS = Recipe(
    name="points",
    data=Ring(count=300),
    generator=MLPGenerator(hidden=(16,), norm="batch"),
    discriminator=MLPDiscriminator(hidden=(16,), dropout=0.3),
    objective=NonSaturating(),
    latent=Normal(4),
    d_terms=(Every(3, R1(gamma=0.1)),),
    batch=32,
    images=1600,
    ema=200.0,
    tick=200,
    snapshot=400,
)
IMAGES = replace(
    POINTS,
    name="images",  # noise and mixed styles in G, crops that D draws
    data=Digits(),
    generator=StyleGAN2Generator(size=4),
    discriminator=FastGANDiscriminator(size=4),
    latent=Normal(8),
    d_terms=(),
    batch=16,
    images=96,
    tick=32,
    snapshot=32,
)
OFTEN = Evaluation(every=150, n=100)
KID = Criterion("kid", "lower")
IMAGE_EVALUATION = Evaluation(every=50, n=20, features="random-conv")
SCORED = [replace(POINTS, evaluation=OFTEN), replace(IMAGES, evaluation=IMAGE_EVALUATION)]
CLOCKS = {"seconds", "images_per_second", "wait"}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


class Killed(BaseException):
    """As if the process had died."""


def interrupt(monkeypatch, at, action):
    step, calls = Game.step, []

    def stopping(game, batches):
        calls.append(1)
        if len(calls) == at:
            action()
        return step(game, batches)

    monkeypatch.setattr(Game, "step", stopping)


def die():
    raise Killed


def terminate():
    signal.raise_signal(signal.SIGTERM)


def groups(run):
    """All tensors of a run's last checkpoint, by name."""
    (_, checkpoint, _) = newest_checkpoint(run)
    return {f"{name}.{key}": tensor for name, group in checkpoint.groups.items() for key, tensor in group.items()}


def assert_equal(one, other):
    assert one.keys() == other.keys()
    assert [key for key in one if not torch.equal(one[key], other[key])] == []


def lines(run):
    """The log without its clocks."""
    return [{key: value for key, value in line.items() if key not in CLOCKS} for line in read_log(run)]


def test_a_recipe_text_imports_nothing(tmp_path, monkeypatch):
    (tmp_path / "strangers_code.py").write_text("import pathlib\npathlib.Path('ran').touch()\ndef look(x): return x\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    text = pretty(replace(SCORED[0], evaluation=Evaluation(features="strangers_code:look")))
    with pytest.raises(ValueError, match=r"a recipe imports nothing, and its features are one of .*code:look"):
        train(read(text), tmp_path / "run", quiet=True)
    assert "strangers_code" not in sys.modules and not (tmp_path / "ran").exists()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("recipe", SCORED, ids=["points", "images"])
def test_a_scored_run_learns_what_a_run_without_scores_learns(tmp_path, straight_of, recipe, plotless):
    scored = straight_of(recipe)
    plain = train(replace(recipe, evaluation=None), tmp_path / "plain", quiet=True)
    assert_equal(groups(scored), groups(plain))
    assert [line for line in lines(scored) if not is_evaluation(line)] == lines(plain)
    assert any(map(is_evaluation, read_log(scored)))


@pytest.mark.parametrize(("recipe", "action"), [*zip(SCORED, (terminate, die), strict=True)], ids=["points", "images"])
def test_a_resumed_run_has_the_scores_and_the_best_generator_of_a_straight_one(
    tmp_path, monkeypatch, straight_of, recipe, action, plotless
):
    straight = straight_of(recipe)
    with monkeypatch.context() as patched:
        interrupt(patched, 5 if recipe.batch == 16 else 33, action)
        with pytest.raises(Terminated if action is terminate else Killed):
            train(recipe, tmp_path / "broken", quiet=True)
    assert any(map(is_evaluation, read_log(tmp_path / "broken")))
    broken = train(recipe, tmp_path / "broken", quiet=True)
    assert_equal(groups(straight), groups(broken))
    scored, again = ([line for line in lines(run) if is_evaluation(line)] for run in (straight, broken))
    assert scored == again
    for name in ("best.safetensors", "generator.safetensors"):
        assert (straight / name).read_bytes() == (broken / name).read_bytes(), name
    one, other = (read_scores(run / "evaluation.json") for run in (straight, broken))
    assert one.values == other.values and one.errors == other.errors


def test_scores_come_every_so_many_images_and_at_the_end(tmp_path, capsys):
    run = train(SCORED[0], tmp_path / "run")
    scored = [line for line in read_log(run) if is_evaluation(line)]
    assert [line["images"] for line in scored] == [160, 320, 480, 608, 768, 928, 1056, 1216, 1376, 1504, 1600]
    there = {"score/fid", "error/fid", "score/kid", "error/kid", "seconds", "steps"}
    assert all(there <= line.keys() for line in scored)
    output = capsys.readouterr().err
    assert output.count(" images fid ") == 11 and "after 160 images fid " in output and "the best kid so far" in output
    told = json.loads((run / "scores.json").read_text())
    last, best = scored[-1], best_line(scored, KID)
    assert told["kid"] == last["score/kid"] and told["fid_error"] == last["error/fid"] and told["modes"] == 8
    assert told["best_kid"] == best["score/kid"] and told["best_kid_images"] == best["images"]
    assert load(run / "best.safetensors").images == best["images"]


def test_the_last_score_is_what_the_verb_says_of_the_run(straight_of):
    run = straight_of(SCORED[1])
    kept = read_scores(run / "evaluation.json")
    again = evaluate("Digits()", run, ("fid", "kid"), EvaluationConfig("random-conv", n=20))
    # The run samples in its own memory format: rounding may turn a pixel by a level.
    assert again.values == pytest.approx(dict(kept.values), rel=1e-5)
    differing = {key for key in kept.protocol if kept.protocol[key] != again.protocol[key]}
    assert differing <= {"real", "fake", "fake.content"}, "they can be compared"
    best = load(run / "best.safetensors")
    line = next(line for line in read_log(run) if line["images"] == best.images and is_evaluation(line))
    found = evaluate("Digits()", best, ("kid",), EvaluationConfig("random-conv", n=20))
    assert found.values["kid"] == pytest.approx(line["score/kid"], rel=1e-6)


def test_the_best_is_beyond_two_standard_errors():
    def scored(images, kid, error=1.0):
        return {"images": images, "score/kid": kid, "error/kid": error}

    log = [{"images": 5, "D/loss": 1.0}, scored(10, 9.0), scored(20, 6.2), scored(30, 6.1), scored(40, 5.0)]
    assert best_line(log[:1], KID) is None
    assert best_line(log[:2], KID)["images"] == 10
    assert best_line(log[:3], KID)["images"] == 10, "2.8 is less than two errors of the difference, 2 sqrt 2"
    assert best_line(log[:4], KID)["images"] == 30, "2.9 is more"
    assert best_line(log, KID)["images"] == 30
    assert best_line([*log, scored(50, 3.0, 0.2)], KID)["images"] == 50
    assert best_line([*log, scored(50, float("nan"))], KID)["images"] == 30
    assert best_line([scored(10, 2.0), scored(20, 9.0)], KID)["images"] == 10, "higher is never better"
    assert best_line([{"images": 10, "score/kid": 2.0}, {"images": 20, "score/kid": 1.9}], KID)["images"] == 20
    assert best_line([{"images": 10, "score/fid": 2.0}], KID) is None


def test_the_best_goes_by_the_score_and_the_direction_that_are_asked_for(tmp_path):
    log = [
        {"images": k, "score/recall": v, "error/recall": 0.1} for k, v in ((10, 0.2), (20, 0.4), (30, 0.6), (40, 0.1))
    ]
    assert best_line(log, Criterion("recall", "higher"))["images"] == 30, "0.4 is within two errors of 0.2, 0.6 is not"
    assert best_line(log, Criterion("recall", "lower"))["images"] == 10
    assert best_line(log, None) is None
    plan = Evaluation(("prdc", "kid"), every=160, n=100, best="recall")
    run = train(replace(POINTS, images=640, evaluation=plan), tmp_path / "run")
    told, log = json.loads((run / "scores.json").read_text()), read_log(run)
    best = best_line(log, Criterion("recall", "higher"))
    assert told["best_recall"] == best["score/recall"] and "best_kid" not in told
    assert load(run / "best.safetensors").images == told["best_recall_images"] == best["images"]


@pytest.mark.parametrize("best", ["fod", "memorisation-p", "fid"])
def test_the_best_can_go_only_by_a_score_of_the_metrics_that_is_better_one_way(tmp_path, best):
    plan = Evaluation(("kid", "prdc"), best=best)
    sentence = r"Evaluation\.best names a score of its metrics that has a better direction \(kid, precision, recall, "
    with pytest.raises(ValueError, match=sentence):
        train(replace(POINTS, evaluation=plan), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def test_without_kid_no_generator_is_kept(tmp_path):
    run = train(replace(POINTS, images=320, evaluation=Evaluation(("fid",), every=160, n=100)), tmp_path / "run")
    assert not (run / "best.safetensors").exists()
    assert "best_kid" not in json.loads((run / "scores.json").read_text())


def test_what_cannot_be_scored_is_refused_before_training(tmp_path):
    for evaluation, sentence in (
        (replace(IMAGE_EVALUATION, metrics=("fod",)), "unknown metric 'fod'"),
        (replace(IMAGE_EVALUATION, features="nonsense"), "no extractor is called 'nonsense'"),
        (replace(IMAGE_EVALUATION, metrics=("memorisation",)), "memorisation needs real samples held out"),
    ):
        with pytest.raises(ValueError, match=sentence):
            train(replace(IMAGES, evaluation=evaluation), tmp_path / "run", quiet=True)
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"metrics": ()}, r"metrics is a tuple of names, like \('fid', 'kid'\); found \(\)"),
        ({"metrics": "fid"}, "metrics is a tuple of names"),
        ({"every": 0}, "every is the number of images between two evaluations, at least 1; found 0"),
        ({"n": 1}, "n is the number of samples per set in an evaluation, at least 2; found 1"),
    ],
)
def test_an_evaluation_that_makes_no_sense_is_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        Evaluation(**options)


def test_a_recipe_without_evaluation_is_written_as_ever_and_one_with_it_reads_back():
    assert "evaluation" not in pretty(POINTS)
    for recipe in (POINTS, *SCORED):
        assert read(pretty(recipe)) == read(repr(recipe)) == recipe
    changed = with_setting(SCORED[0], "evaluation.metrics=('kid',)")
    assert changed.evaluation == replace(OFTEN, metrics=("kid",))


def test_the_report_draws_scores_with_their_errors(straight_of):
    run = straight_of(SCORED[0])
    page = write_report(run).read_text()
    assert "<h3>Scores</h3>" in page and page.index("<h4>fid ") < page.index("<h4>kid ") < page.index("<h3>The game")
    assert "error/kid" not in page and "score/kid" not in page
    assert page.count("The band is ± 2 standard errors") == 2
    scores = page.split("<h3>Scores</h3>")[1].split("<h3>The game")[0]
    assert scores.count("<polygon") == 2, "a band each"


def zerosum(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["zerosum", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_the_command_line_scores_a_run_and_samples_its_best(tmp_path, monkeypatch, capsys):
    run = tmp_path / "run"
    small = [f"--set={part}.size=4" for part in ("generator", "discriminator")]
    small += ["--images", 128, "--set", "batch=16", "--set", "tick=64", "--set", "snapshot=64"]
    often = ["--set", "evaluation.every=48", "--set", "evaluation.n=40", "--set", "evaluation.features='pixels'"]
    words = ("train", "digits", "--out", run, *small, "--evaluate", "kid, fid", *often, "--json")
    assert zerosum(monkeypatch, *words) == 0
    told = json.loads(capsys.readouterr().out)["scores"]
    assert {"kid", "kid_error", "fid", "fid_error", "best_kid", "best_kid_images"} <= told.keys()
    assert "metrics=('kid', 'fid')" in (run / "recipe.txt").read_text()
    assert zerosum(monkeypatch, "sample", run, "--best", "--out", tmp_path / "best.png", "--json") == 0
    assert json.loads(capsys.readouterr().out)["images"] == told["best_kid_images"]
    (run / "best.safetensors").unlink()
    assert zerosum(monkeypatch, "sample", run, "--best") == 1
    assert "has no best generator: train with --evaluate kid" in capsys.readouterr().err
    assert zerosum(monkeypatch, "train", "digits", "--out", tmp_path / "other", *small, "--evaluate", "fod") == 1
    assert "unknown metric 'fod'" in capsys.readouterr().err
