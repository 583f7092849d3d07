"""Evaluations during training, and the best generator so far."""

__all__ = ()

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from zerosum._disk import replace_durably
from zerosum.data.dataset import Dataset
from zerosum.evaluation.best import Criterion, best_line, criterion
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.evaluate import Evaluator
from zerosum.evaluation.scores import Scores, format_score, write_scores
from zerosum.features.extractor import HALF, extractor_kinds
from zerosum.recipes.evaluation import Evaluation
from zerosum.runs.files import BEST, EVALUATION
from zerosum.runs.generator import TrainedGenerator, generator_bytes
from zerosum.runs.log import ERROR, SCORE, append_log, evaluations, is_evaluation, read_log

_FEW = 64  # samples of each set


class RunScores:
    """The scores of a run, written to its log, and its best generator, written to its folder.

    The best one follows from the log alone, so a resumed run needs no further state: its log ends at its checkpoint.
    The random numbers of the run are not affected.

    Args:
        plan: metrics, and when to compute them.
        run: the run folder.
        dataset: the run's data.
        device: where to compute.

    Raises:
        ValueError: where the plan cannot be carried out; raised before training.
    """

    def __init__(self, plan: Evaluation, run: Path, dataset: Dataset, device: torch.device) -> None:
        self.plan, self.run = plan, run
        _refuse_import(plan)
        self.criterion = criterion(plan)
        config = EvaluationConfig(plan.features, plan.n, plan.seed, device=str(device), known=plan.known)
        self.evaluator = Evaluator(dataset, plan.metrics, config)

    def check(self, generator: TrainedGenerator) -> None:
        """Score a few samples and write nothing; raises what an evaluation of this generator would raise.

        Where a few samples cannot be scored, as many as in the evaluations are: a metric may need more than a few.
        """
        few = min(self.plan.n, _FEW)
        with torch.random.fork_rng(devices=[]):
            try:
                replace(self.evaluator, config=replace(self.evaluator.config, n=few, cache=False)).score(generator)
            except Exception:  # noqa: BLE001  # of any kind, as a metric may be the user's
                self.evaluator.score(generator, self.run.name)

    def done(self, images: int) -> bool:
        """Whether the log has scores at this number of images."""
        return any(line["images"] == images and is_evaluation(line) for line in read_log(self.run))

    def take(self, generator: TrainedGenerator, clock: Mapping[str, Any], say: Callable[[str], None]) -> None:
        """Evaluate a generator: append a log line that begins with `clock`, and save it if it is the best."""
        self.evaluator.say = say
        with torch.random.fork_rng(devices=[]):
            scores = self.evaluator.score(generator, self.run.name)
        line = {SCORE + name: value for name, value in scores.values.items()}
        line |= {ERROR + name: error for name, error in scores.errors.items()}
        append_log(self.run, {**clock, **line})
        write_scores(self.run / EVALUATION, scores)
        best = best_line(read_log(self.run), self.criterion)
        is_best = best is not None and best["images"] == generator.images
        if is_best:
            replace_durably(self.run / BEST, generator_bytes(generator))
        say(f"after {generator.images:,} images {_formatted(scores)}{self._best_so_far() if is_best else ''}")

    def _best_so_far(self) -> str:
        assert self.criterion is not None
        return f", the best {self.criterion.score} so far"


def remove_best(run: Path, images: int, by: Criterion | None) -> None:
    """Remove the best generator of a run if it is later than `images`; call it before the log is truncated there.

    Those iterations are run again, and the log would no longer have the evaluation of the file.
    """
    best = best_line(read_log(run), by)
    if best is not None and best["images"] > images:
        (run / BEST).unlink(missing_ok=True)


def last_scores(run: Path, by: Criterion | None) -> dict[str, Any]:
    """The evaluation part of a run's scores: the last scores with their errors, and the best one by a criterion."""
    log = read_log(run)
    lines = evaluations(log)
    if not lines:
        return {}
    summary = {name: value for name, value in lines[-1].items() if name != "images"}
    best = best_line(log, by)
    if by is not None and best is not None:
        summary |= {f"best_{by.score}": best[SCORE + by.score], f"best_{by.score}_images": best["images"]}
    return summary


def _refuse_import(plan: Evaluation) -> None:
    """Raise `ValueError` where a recipe, which may come from anybody, names a module to import."""
    if not isinstance(plan.features, str) or plan.features in plan.known:
        return
    name, colon, _ = plan.features.partition(":")
    kinds = extractor_kinds()
    if colon and name.removesuffix(HALF) not in kinds:
        raise ValueError(
            f"a recipe imports nothing, and its features are one of {', '.join(kinds)}; found {plan.features!a:.80}. "
            f"Name your own alone, and pass its file with --use FILE.py"
        )


def _formatted(scores: Scores) -> str:
    return ", ".join(f"{name} {format_score(value, scores.errors.get(name))}" for name, value in scores.values.items())
