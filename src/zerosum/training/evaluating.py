"""Scores of a run under way, and the best generator so far."""

__all__ = ()

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from zerosum._disk import replace_durably
from zerosum.data.dataset import Dataset
from zerosum.evaluation.comparison import differ
from zerosum.evaluation.manner import Manner
from zerosum.evaluation.scores import Scores, shown, write_scores
from zerosum.evaluation.scoring import Evaluator
from zerosum.metrics.features.extractor import HALF, extractor_kinds
from zerosum.recipes.evaluation import Evaluation
from zerosum.runs.files import BEST, EVALUATION
from zerosum.runs.generator import TrainedGenerator, generator_bytes
from zerosum.runs.log import ERROR, SCORE, append_log, evaluations, is_evaluation, read_log

_DECIDES = "kid"


class RunScores:
    """The scores of a run, in its log, and the best generator so far, in its folder.

    Which one is best follows from the log alone, so a continued run has nothing more to remember: its log ends where
    its checkpoint was taken. The random numbers of the run are not touched.

    Args:
        plan: what to score, and when.
        run: the run folder.
        dataset: the run's data.
        device: where to compute.

    Raises:
        ValueError: where the plan cannot be carried out, before anything is trained.
    """

    def __init__(self, plan: Evaluation, run: Path, dataset: Dataset, device: torch.device) -> None:
        self.plan, self.run = plan, run
        _refuse_import(plan.features)
        manner = Manner(plan.features, plan.n, plan.seed, device=str(device))
        self.evaluator = Evaluator(dataset, plan.metrics, manner)

    def done(self, images: int) -> bool:
        """Whether there are scores after so many images already."""
        return any(line["images"] == images and is_evaluation(line) for line in read_log(self.run))

    def take(self, generator: TrainedGenerator, clock: Mapping[str, Any], say: Callable[[str], None]) -> None:
        """Score a generator: a line in the log, which `clock` begins, and `best.safetensors` if it is the best."""
        self.evaluator.say = say
        with torch.random.fork_rng(devices=[]):
            scores = self.evaluator.score(generator, self.run.name)
        told = {SCORE + name: value for name, value in scores.values.items()}
        told |= {ERROR + name: error for name, error in scores.errors.items()}
        append_log(self.run, {**clock, **told})
        write_scores(self.run / EVALUATION, scores)
        best = best_line(read_log(self.run))
        is_best = best is not None and best["images"] == generator.images
        if is_best:
            replace_durably(self.run / BEST, generator_bytes(generator))
        say(f"after {generator.images:,} images {_told(scores)}{', the best KID so far' if is_best else ''}")


def forget_best(run: Path, images: int) -> None:
    """Remove the best generator of a run if it had seen more than `images`, before that stretch of the log is dropped.

    The stretch is played anew, otherwise, and nothing would say any more where the file came from.
    """
    best = best_line(read_log(run))
    if best is not None and best["images"] > images:
        (run / BEST).unlink(missing_ok=True)


def best_line(log: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The line of a log with the best KID; None where there is none.

    Of two lines the earlier one counts as better, unless the later lies below it by more than two standard errors of
    their difference.
    """
    best: Mapping[str, Any] | None = None
    for line in log:
        value = line.get(SCORE + _DECIDES)
        if value is None or not math.isfinite(value):
            continue
        if best is None:
            best = line
            continue
        least, errors = best[SCORE + _DECIDES], [one.get(ERROR + _DECIDES) for one in (best, line)]
        if value < least and differ(least, errors[0], value, errors[1]):
            best = line
    return best


def last_scores(run: Path) -> dict[str, Any]:
    """What the summary of a run says of its evaluations: the last scores with their errors, and where KID was best."""
    log = read_log(run)
    lines = evaluations(log)
    if not lines:
        return {}
    told = {name: value for name, value in lines[-1].items() if name != "images"}
    best = best_line(log)
    if best is not None:
        told |= {"best_kid": best[SCORE + _DECIDES], "best_kid_images": best["images"]}
    return told


def _refuse_import(features: str | None) -> None:
    """Raise `ValueError` where a recipe, which a stranger may have written, names a function in a module to import."""
    name, colon, _ = (features or "").partition(":")
    known = extractor_kinds()
    if colon and name.removesuffix(HALF) not in known:
        raise ValueError(
            f"a recipe imports nothing, and its features are one of {', '.join(known)}; found {features!a:.80}. Score by "
            f"your own with zerosum evaluate --features"
        )


def _told(scores: Scores) -> str:
    return ", ".join(f"{name} {shown(value, scores.errors.get(name))}" for name, value in scores.values.items())
