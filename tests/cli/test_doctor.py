"""`zerosum doctor`, on a small run whose log is made by hand."""

import json
import re
import shlex
import sys

import pytest
from tests.diagnostics.ill_logs import ILL, WELL

from zerosum.cli import main
from zerosum.recipes.evaluation import Evaluation
from zerosum.recipes.named_recipes import named
from zerosum.training.options import RunOptions
from zerosum.training.train import train


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "ill"
    return train(named("non-saturating"), folder, images=256, quiet=True, options=RunOptions(signals=False))


@pytest.fixture
def doctor(run, monkeypatch, capsys):
    """Runs the command on a log; returns its exit status and its output."""

    def command(log, *flags):
        (run.path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
        monkeypatch.setattr(sys, "argv", ["zerosum", "doctor", str(run), *flags])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().out

    return command


def test_it_says_what_is_wrong_since_when_and_what_to_change(run, doctor):
    code, text = doctor(ILL)
    assert code == 3
    assert f"{run}: non-saturating, after 90,000 of 256 images" in text
    assert "certain, the worst first." in text and "mode-collapse since 40,000 images (severity" in text
    assert "signal/clusters_live 0.05" in text
    assert "Against" in text and "arXiv 1807.04720" in text and "It shows within 26 images." in text
    assert "When to stop is unknown: the log has no scores; `zerosum train ... --evaluate kid` computes them" in text


def test_the_command_that_it_prints_trains(run, doctor, monkeypatch, capsys):
    _, text = doctor(ILL)
    (line,) = [line for line in text.splitlines() if line.startswith("  1. zerosum train")]
    words = shlex.split(line.removeprefix("  1. "))
    assert words[-2:] == ["--out", f"{run}-treated"]
    monkeypatch.setattr(sys, "argv", [*words, "--images", "256", "--dry-run"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0 and "R1(gamma=0.1)" in capsys.readouterr().out


def test_a_healthy_run_is_said_to_be_healthy_and_what_is_normal(doctor):
    code, text = doctor(WELL)
    assert code == 0 and "Healthy: no symptom is certain." in text and "Try one" not in text
    assert "Normal in this run:" in text and "near the 1.386 of the equilibrium" in text


def test_a_run_without_signals_is_not_called_healthy(doctor):
    bare = [{name: value for name, value in line.items() if not name.startswith("signal/")} for line in WELL]
    code, text = doctor(bare)
    assert code == 0 and "Unknown: the log has no signals." in text and "Healthy" not in text


def test_json_has_all_of_it(doctor):
    code, text = doctor(ILL, "--json")
    facts = json.loads(text)
    assert code == 3 and not facts["healthy"]
    assert "mode-collapse" in [one["name"] for one in facts["symptoms"]]
    assert len(facts["advice"]) > 5 and all(one["command"].startswith("zerosum train") for one in facts["advice"])
    assert facts["advice"][0]["against"] and facts["symptoms"][0]["evidence"]


def test_a_log_without_lines_says_nothing_and_what_is_no_run_is_refused(doctor, tmp_path, monkeypatch, capsys):
    code, text = doctor([])
    assert code == 0 and "The log has no lines yet, so nothing can be said." in text
    monkeypatch.setattr(sys, "argv", ["zerosum", "doctor", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"zerosum: {tmp_path} is not a run folder: it has no recipe.txt\n"


SCORES = [{"images": 1000 * n, "score/kid": kid, "error/kid": 0.1} for n, kid in enumerate((5, 2, 2, 2, 2), 1)]


@pytest.fixture
def evaluated(run):
    """Puts an evaluation into the recipe of the run."""
    text = (run.path / "recipe.txt").read_text()

    def put(plan):
        (run.path / "recipe.txt").write_text(text.replace("    seed=0,", f"    seed=0,\n    evaluation={plan!r},"))

    yield put
    (run.path / "recipe.txt").write_text(text)


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        (Evaluation(("own",)), r"'own'.*--use FILE\.py"),
        (Evaluation(("kid",), best="recall"), r"a better direction \(kid\); found 'recall'"),
        (Evaluation(("fid",)), "no score of the log is the criterion of the recipe's evaluation"),
    ],
)
def test_why_it_is_unknown_when_to_stop_is_said(doctor, evaluated, plan, reason):
    evaluated(plan)
    _, said = doctor([*SCORES, *WELL])
    assert re.search(f"When to stop is unknown: .*{reason}", said)
    facts = json.loads(doctor([*SCORES, *WELL], "--json")[1])
    assert facts["stopping"] is None and re.search(reason, facts["stopping_unknown"])


def test_when_to_stop_is_said_where_there_are_scores(run, doctor, evaluated):
    evaluated(Evaluation(("kid",)))
    _, said = doctor([*SCORES, *WELL])
    assert json.loads(doctor([*SCORES, *WELL], "--json")[1])["stopping_unknown"] is None
    assert "nothing has improved on it beyond its error for 3,000 images: it is time to stop." in said
    assert f"`zerosum sample {run} --best`" in said
