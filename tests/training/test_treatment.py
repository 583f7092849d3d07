"""With `doctor=act` a run goes back to before a certain symptom, and on under other rates and penalties."""

import contextlib
import io
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
from benchmarks.robustness.kills import POINTS
from benchmarks.robustness.sameness import differences

import zerosum.training.treatment
from zerosum.diagnostics.symptom import Symptom
from zerosum.game.game import Game
from zerosum.networks.mlp import MLPDiscriminator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.optimisers import Adam
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.runs.log import read_log
from zerosum.terms.gradient_penalties import R1
from zerosum.training.options import RunOptions
from zerosum.training.train import train
from zerosum.training.treatment import TREATMENTS, RunDoctor, treated

ACT = RunOptions(doctor="act")
RECIPE = replace(
    POINTS, objective=NonSaturating(), discriminator=MLPDiscriminator(hidden=(8,)), d_terms=(R1(0.1),),
    G_opt=Adam(lr=0.001), D_opt=Adam(lr=0.001), images=160, tick=16, snapshot=32,
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def diagnoses():
    """Diagnose the symptom `found.name` once the log has 80 images, since 48; until it is treated, or for ever."""
    found = SimpleNamespace(name="mode-collapse", confidence=1.0, lasts=False)

    def diagnosed(log, _):
        ill = any(line["images"] >= 80 for line in log)
        healed = not found.lasts and any("treatment" in line for line in log)
        symptom = Symptom(found.name, 0.9, found.confidence, 48, {"signal/x": 0.1}, "It is made up.")
        return SimpleNamespace(certain=(symptom,) if ill and not healed and symptom.is_certain else ())

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(zerosum.training.treatment, "diagnose", diagnosed)
        yield found


@pytest.fixture
def lasting(diagnoses):
    diagnoses.lasts = True
    yield
    diagnoses.lasts = False


@pytest.fixture(scope="module")
def acted(diagnoses, tmp_path_factory):
    """A treated run, what it printed, and D's terms after each step."""
    seen, step = [], Game.step

    def watched(game, batches):
        log = step(game, batches)
        seen.append((game.images, game.D.terms))
        return log

    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stderr(out):
        patched.setattr(Game, "step", watched)
        run = train(RECIPE, tmp_path_factory.mktemp("acted") / "run", options=ACT)
    return SimpleNamespace(run=run, output=out.getvalue(), seen=seen)


def treatments(run):
    return [line["treatment"] for line in read_log(run) if "treatment" in line]


def test_it_goes_back_to_before_the_symptom_and_on_with_a_stronger_penalty(acted):
    (first,) = treatments(acted.run)
    assert first["settings"] == ["d_terms=(R1(gamma=1.0),)"] and (first["images"], first["back"]) == (80, 48)
    assert "after 80 images, mode-collapse: It is made up. See `zerosum doctor" in acted.output
    assert "mode-collapse after 80 images: back to 32 images, and on with d_terms=(R1(gamma=1.0),)" in acted.output
    assert newest_checkpoint(acted.run.path)[1].numbers[TREATMENTS] == [first]
    images = [line["images"] for line in acted.run.log]
    assert images == sorted(images) and images[-1] == 160


def test_the_penalty_is_stronger_from_there_on(acted):
    assert [images for images, terms in acted.seen if terms == (R1(0.1),)] == [16, 32, 48, 64, 80]
    assert [images for images, terms in acted.seen if terms == (R1(1.0),)] == [*range(48, 161, 16)]


def test_another_follows_once_the_first_had_its_time_and_none_is_repeated(tmp_path, lasting):
    run = train(replace(RECIPE, images=320), tmp_path / "run", quiet=True, options=ACT)
    made = treatments(run)
    stronger, balanced = (one["settings"] for one in made)
    assert stronger == ["d_terms=(R1(gamma=1.0),)"] and balanced == ["G_opt.lr=0.000577", "D_opt.lr=0.00173"]
    assert made[1]["images"] == made[0]["until"] == 80 + 32


def test_rates_and_momentum_are_those_of_the_treatments_after_the_state_is_restored(
    diagnoses, lasting, tmp_path, monkeypatch
):
    monkeypatch.setattr(diagnoses, "name", "oscillation")
    seen, step = [], Game.step

    def watched(game, batches):
        log = step(game, batches)
        (group,) = game.G.optimiser.param_groups
        seen.append((group["lr"], tuple(group["betas"])))
        return log

    monkeypatch.setattr(Game, "step", watched)
    run = train(replace(RECIPE, images=480), tmp_path / "run", quiet=True, options=ACT)
    _, momentum, rates, balanced = treatments(run)
    assert momentum["settings"] == ["G_opt.betas=(0.0, 0.99)", "D_opt.betas=(0.0, 0.99)"]
    assert rates["settings"] == ["G_opt.lr=0.00025", "D_opt.lr=0.00025"]
    assert balanced["settings"] == ["G_opt.lr=0.000144", "D_opt.lr=0.000433"]
    usual, without = RECIPE.G_opt.betas, (0.0, 0.99)
    assert [*dict.fromkeys(seen)] == [(0.001, usual), (0.001, without), (0.00025, without), (0.000144, without)]


@pytest.mark.parametrize("dies_after", [6, 9])
def test_killed_and_continued_it_is_the_run_that_would_have_been(acted, tmp_path, monkeypatch, dies_after):
    """Between the treatment and the next checkpoint, and after that."""

    class Killed(BaseException):
        pass

    step, steps = Game.step, []

    def dies(game, batches):
        log = step(game, batches)
        steps.append(1)
        if len(steps) == dies_after:
            raise Killed
        return log

    with monkeypatch.context() as patched:
        patched.setattr(Game, "step", dies)
        with pytest.raises(Killed):
            train(RECIPE, tmp_path / "broken", quiet=True, options=ACT)
    train(RECIPE, tmp_path / "broken", quiet=True, options=ACT)
    assert differences(acted.run, tmp_path / "broken") == []


def test_a_treated_run_stays_treated_when_it_is_extended_without_the_option(acted, tmp_path, monkeypatch):
    shutil.copytree(acted.run.path, tmp_path / "run")
    seen, step = [], Game.step
    monkeypatch.setattr(Game, "step", lambda game, batches: (seen.append(game.D.terms), step(game, batches))[1])
    train(tmp_path / "run", images=192, quiet=True)
    assert {*seen} == {(R1(1.0),)}


def test_what_is_only_watched_is_said_once_and_changes_nothing(tmp_path, capsys):
    run = train(RECIPE, tmp_path / "run")
    assert capsys.readouterr().err.count("mode-collapse: It is made up.") == 1
    assert treatments(run) == []
    train(run, images=192)
    assert "mode-collapse" not in capsys.readouterr().err, "said by the earlier start"


def visited(run, **facts):
    """What a doctor that acts says of a run, and how it treats it."""
    said = []
    doctor = RunDoctor(RECIPE, RECIPE.data.open(), run, acts=True, **facts)
    doctor.said = set()
    return said, doctor.visit(160, said.append)


def test_what_is_not_certain_is_neither_said_nor_treated(acted, diagnoses, lasting, monkeypatch):
    assert [one.partition(":")[0] for one in visited(acted.run)[0]] == ["after 160 images, mode-collapse"]
    monkeypatch.setattr(diagnoses, "confidence", 0.4)
    assert visited(acted.run) == ([], None)


def test_a_symptom_without_a_safe_remedy_is_only_said(acted, diagnoses, lasting, monkeypatch):
    monkeypatch.setattr(diagnoses, "name", "memorised-samples")
    said, treatment = visited(acted.run)
    assert len(said) == 1 and treatment is None


def test_after_five_treatments_none_follows(acted, lasting):
    assert visited(acted.run)[1].settings == ("d_terms=(R1(gamma=1.0),)",)
    made = {**MADE, "until": 0}
    assert visited(acted.run, treatments=[made] * 4)[1] is not None
    assert visited(acted.run, treatments=[made] * 5)[1] is None


MADE = {"symptom": "divergence", "why": "", "until": 5, "settings": ["D_opt.lr=0.1"]}


@pytest.mark.parametrize(
    "stored",
    [["x"], [{}], [{**MADE, "settings": ["generator=None"]}], [{**MADE, "settings": [1]}], [{**MADE, "until": "x"}]],
)
def test_a_checkpoint_of_other_treatments_is_refused(stored):
    with pytest.raises(
        ValueError,
        match=r"its treatments should be settings of G_opt\.lr, .*, d_terms; found",
    ):
        treated(RECIPE, [stored])
    assert treated(RECIPE, [MADE]).D_opt.lr == 0.1


@pytest.mark.parametrize("stored", [5, "x", {"a": 1}, None])
def test_treatments_that_are_no_list_are_refused(stored):
    with pytest.raises(ValueError, match="its treatments should be a list; found"):
        treated(RECIPE, stored)


def test_another_doctor_is_refused():
    with pytest.raises(ValueError, match="doctor is watch or act; found 'sleep'"):
        RunOptions(doctor="sleep")
    with pytest.raises(ValueError, match="treats what signals show: leave signals on"):
        RunOptions(doctor="act", signals=False)


class Damages:
    """Spoils the log after some updates."""

    def __init__(self, log, after):
        self.log, self.left = log, after

    def watch(self, player, turn, log):
        self.left -= 1
        if not self.left:
            with self.log.open("a") as file:
                file.write("no line\n{}\n")


def test_a_log_damaged_in_mid_run_ends_the_doctor_and_not_the_run(tmp_path, capsys):
    log = tmp_path / "run/log.jsonl"
    with pytest.raises(ValueError, match=r"line 4 of .*log.jsonl is not JSON: remove this line"):
        train(RECIPE, tmp_path / "run", options=RunOptions(watchers=(Damages(log, 8),)))  # in the report
    said = capsys.readouterr().err
    assert said.count("no symptoms from ") == 1 and newest_checkpoint(tmp_path / "run")[1].numbers["images"] == 160
    log.write_text("".join(line for line in log.read_text().splitlines(True) if "images" in line))
    assert train(RECIPE, tmp_path / "run", quiet=True).state.name == "ended"
