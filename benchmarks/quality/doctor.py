"""Whether the doctor finds what is wrong with a run, and whether its advice helps.

    python -m benchmarks.quality.doctor [--seeds 1] [--jobs 2] [--subjects NAME ...] [--out runs/doctor]

Healthy games, and the same games with an illness put into them as settings (`benchmarks/quality/doctor_games.py`), are
trained at tiny sizes. *Found*: a certain symptom is one of those that describe the illness; *false alarm*: a healthy
run has a certain symptom. *Ill* and *healed* are decided by a score that the doctor does not see: on points the share
of modes found times that of samples near one, on images the coverage of real images by samples (Naeem et al. 2020) in
the features of a classifier trained on the data. A run is ill below three quarters of the score of the healthy run of
its seed, and healed from there on. Balanced accuracy is the mean of the share of ill runs that are found and of the
share of healthy ones without an alarm; an illness that did no harm is in neither. Each ill run is trained again twice
with the same seed: under the first advice that the doctor prints, and under advice drawn at random from all advice for
that recipe.

An interrupted bench is resumed: finished runs are kept by their recipes, and examined again, as the doctor may have
changed. The page is `benchmarks/results/doctor.md`; `make slow` has the long form, `--seeds 10`.
"""

import argparse
import hashlib
import json
import multiprocessing
import random
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

import zerosum
from benchmarks import marked
from benchmarks.machine import machine
from benchmarks.places import RESULTS
from benchmarks.quality.doctor_games import HEALTHY, ILLNESSES, SUBJECTS, changed
from benchmarks.quality.doctor_table import WELL, tables
from zerosum._arrays import evenly
from zerosum._disk import replace_durably
from zerosum.data.toys.gaussians import Ring
from zerosum.diagnostics.advice import Advice, all_advice
from zerosum.diagnostics.examination import examine, patient_of
from zerosum.diagnostics.patient import Patient
from zerosum.game.finite import NonFiniteError
from zerosum.metrics.modes import mode_coverage
from zerosum.metrics.neighbours import density_coverage
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.runs.checkpoint import prune_checkpoints
from zerosum.runs.generator import TrainedGenerator
from zerosum.training.conditional_accuracy import image_classifier

OUT = Path("runs") / "doctor"
PAGE = RESULTS / "doctor.md"
SAMPLES = 1_000


@dataclass(frozen=True)
class Case:
    """A subject with a seed, healthy in a form or with an illness."""

    subject: str
    form: str
    ill: bool
    seed: int

    @property
    def recipe(self) -> Recipe:
        """What is trained."""
        recipe = SUBJECTS[self.subject].recipe
        settings = ILLNESSES[self.form].settings(recipe) if self.ill else HEALTHY[self.subject].get(self.form, ())
        return changed(recipe, settings, self.seed)

    def folder(self, out: Path) -> Path:
        """Its folder."""
        return out / self.subject / self.form.replace(" ", "-").replace(",", "") / f"{self.seed:02}"


def cases(subjects: list[str], seeds: int) -> Iterator[Case]:
    """All cases, seed by seed."""
    for seed in range(seeds):
        for subject in subjects:
            for form in ("itself", *HEALTHY[subject]):
                yield Case(subject, form, False, seed)
            for form in ILLNESSES:
                yield Case(subject, form, True, seed)


def trained(recipe: Recipe, folder: Path, out: Path) -> tuple[zerosum.Run, float]:
    """Train a recipe, or take the finished run, and return it with its score in [0, 1]; 0 where it met NaN or Inf."""
    mark = hashlib.sha256(pretty(recipe).encode()).hexdigest()[:8]
    run = zerosum.Run(folder / mark)
    kept = folder / f"{mark}.json"
    if not kept.is_file():
        try:
            zerosum.train(recipe, run.path, quiet=True)
            found = score(run.generator, out)
            prune_checkpoints(run.path, keep=1)
        except NonFiniteError:
            found = 0.0
        replace_durably(kept, json.dumps(found).encode())
    return run, float(json.loads(kept.read_text()))


def score(generator: TrainedGenerator, out: Path) -> float:
    """How well samples cover the data of the subject, in [0, 1]."""
    recipe = SUBJECTS[generator.recipe.name].recipe
    if isinstance(recipe.data, Ring):
        points = torch.from_numpy(generator.sample(2_500))
        found = mode_coverage(points, recipe.data.centres(), recipe.data.std)
        return found.found / found.modes * found.high_quality
    data = recipe.data.open()
    classifier = image_classifier(data, out / f"{recipe.name}.safetensors", torch.device("cpu"))
    samples = torch.from_numpy(generator.sample(SAMPLES)).permute(0, 3, 1, 2)
    real = data.read(evenly(len(data), SAMPLES))
    return density_coverage(classifier.features(real), classifier.features(samples)).coverage


def played(case: Case, well: float, out: Path) -> dict[str, Any]:
    """The result of a case; ill runs, those with a score below `well`, are treated."""
    torch.set_num_threads(1)
    run, reached = trained(case.recipe, case.folder(out), out)
    examined = examine(run)
    names = [one.symptom.name for one in examined.findings]
    found = {**asdict(case), "score": reached, "symptoms": names}
    if case.ill and reached < well:
        first = next((one.advice for one in examined.recommendations), None)
        found |= treated(case, patient_of(run.generator), first, out)
    return found


def treated(case: Case, patient: Patient, advised: Advice | None, out: Path) -> dict[str, Any]:
    """The scores under the first advice, and under advice drawn at random."""
    recipe = case.recipe
    drawn = random.Random(f"{case}").choice(all_advice(patient))
    found: dict[str, Any] = {"drawn": drawn.settings, "advised": None, "advised_score": None}
    if advised is not None:
        found["advised"] = advised.settings
        found["advised_score"] = trained(advised.applied(recipe), case.folder(out), out)[1]
    return {**found, "drawn_score": trained(drawn.applied(recipe), case.folder(out), out)[1]}


def run_all(chosen: list[Case], jobs: int, out: Path) -> list[dict[str, Any]]:
    """Play all cases in parallel processes: the healthy ones, by whose scores the others are ill, first."""
    results: dict[Case, dict[str, Any]] = {}
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for ill in (False, True):
            some = [case for case in chosen if case.ill == ill]
            wells = [WELL * results[replace(case, form="itself", ill=False)]["score"] if ill else 0.0 for case in some]
            futures = {pool.submit(played, case, well, out): case for case, well in zip(some, wells, strict=True)}
            for done in as_completed(futures):
                case = futures[done]
                results[case] = done.result()
                print(f"{len(results)}/{len(chosen)} {described(results[case])}", file=sys.stderr, flush=True)
    return [results[case] for case in chosen]


def described(result: Mapping[str, Any]) -> str:
    """A result in words."""
    named = f"{result['subject']}, {result['form']}, seed {result['seed']}: score {result['score']:.2f}"
    words = f"{named}, {', '.join(result['symptoms']) or 'no symptom'}"
    if "drawn" not in result:
        return words
    advised = "none" if result["advised_score"] is None else f"{result['advised_score']:.2f}"
    return f"{words}; advised {advised}, drawn {result['drawn_score']:.2f}"


def main(arguments: list[str] | None = None) -> int:
    """Play all cases and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1, help="seeds of each case: 10 in the long form")
    parser.add_argument("--subjects", nargs="+", choices=[*SUBJECTS], default=[*SUBJECTS])
    parser.add_argument("--jobs", type=int, default=2, help="parallel processes, one thread each")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the runs")
    chosen = parser.parse_args(arguments)
    results = run_all([*cases(chosen.subjects, chosen.seeds)], chosen.jobs, chosen.out)
    text = f"{tables(results)}\n\nOn {machine()}; seeds of each case: {chosen.seeds}."
    marked.write(PAGE, "doctor", "benchmarks.quality.doctor", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
