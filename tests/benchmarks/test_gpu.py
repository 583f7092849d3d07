"""The benchmark of a GPU, as far as it needs none: sentences, times, rows, and its parts on the CPU at tiny size."""

import argparse
import sys
import warnings
from collections import Counter

import pytest
import torch
from benchmarks.gpu import __main__ as command
from benchmarks.gpu import checks, needs, steps, waits
from benchmarks.gpu.__main__ import Outcome, Part
from benchmarks.gpu.rows import Row, rows_in, table
from tests.forked import python

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
PARTS = [
    Part("waits", "waits of the host", ("waits",), 10),
    Part("steps", "r3gan, usual", ("steps", "r3gan"), 20, "r3gan"),
    Part("tests", "tests", ("checks",), 10),
    Part("compiled", "r3gan, compiled", ("steps", "r3gan"), 40, "r3gan"),
]


def test_a_machine_without_a_gpu_is_told_what_it_lacks_and_nothing_is_measured(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(command, "play", None)
    monkeypatch.setattr(torch.version, "cuda", None)
    assert command.main([]) == command.LACKING == 3
    out, err = capsys.readouterr()
    assert out == "" and "is built without CUDA: install a build with it" in err and "nothing was measured" in err
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    assert needs.missing_device(CUDA).startswith("PyTorch finds no CUDA device: `nvidia-smi` should list one")
    assert needs.missing_device(CPU) == ""


def test_a_missing_compiler_is_named(monkeypatch):
    monkeypatch.setattr(needs.shutil, "which", lambda name: None)
    monkeypatch.delenv("CC", raising=False)
    assert needs.missing_compiler(CUDA) == (
        "torch.compile needs a compiler, one of cc, gcc, clang, and none is on the PATH"
    )
    monkeypatch.setattr(needs.shutil, "which", lambda name: name if name == "mine" else None)
    monkeypatch.setenv("CC", "mine")
    monkeypatch.setattr(needs.importlib.util, "find_spec", lambda name: None)
    assert needs.missing_compiler(CUDA) == "torch.compile needs Triton for a GPU: pip install triton"
    monkeypatch.setattr(needs.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (6, 1))
    assert needs.missing_compiler(CUDA).endswith("capability 7.0, and this one has 6.1")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    assert needs.missing_compiler(CUDA) == ""


def test_rows_survive_in_what_a_process_printed(capsys):
    rows = [Row("steps", "good", 1234.4, 0.01234), Row("tests", "3 passed")]
    for row in rows:
        row.print()
    text = "USDT: profiler_start\n" + capsys.readouterr().out
    assert rows_in(text) == rows
    assert rows_in(text + text.splitlines()[1][:20]) == rows, "the last was being written when the time was over"
    assert table(rows).splitlines()[2:] == ["| steps | good | 1,234 | 0.0123 |", "| tests | 3 passed |  |  |"]


def test_a_part_that_takes_too_long_or_fails_keeps_its_rows(forks):
    prints = """print('{"what": "first"}', flush=True);"""
    slow = command.measured([sys.executable, "-c", f"import time; {prints} time.sleep(60)"], 3.0)
    assert slow == Outcome((Row("first"),), "not done within 3 s")
    ended = command.measured([sys.executable, "-c", f"{prints} raise SystemExit('too small')"], 60.0)
    assert ended == Outcome((Row("first"),), "ended with status 1: too small")
    assert command.measured([sys.executable, "-c", prints], 60.0) == Outcome((Row("first"),))


def test_each_part_has_its_share_of_the_time_and_what_is_left(monkeypatch, capsys):
    clock, given, spent = [0.0], [], iter([10.0, 5.0, 25.0])

    def measured(words, seconds):
        given.append(seconds)
        clock[0] += next(spent)
        return Outcome(())

    monkeypatch.setattr(command, "measured", measured)
    monkeypatch.setattr(command.time, "monotonic", lambda: clock[0])
    outcomes = command.play(PARTS, 160.0, {"waits": "none"})
    assert given == [60.0, 70.0, 145.0], "40, 20 and 80 of 160, and the 20, 50 and 65 that were left"
    assert outcomes[0].reason == "none"


def test_rows_of_a_game_stand_together_and_are_compared_with_its_first():
    outcomes = [
        Outcome((Row("lecam", "lecam.py:66 x 2"), Row("ring"), Row("own", f"{waits.FAILED} ValueError: no"))),
        Outcome((Row("usual", "", 50.0, 1.0),)),
        Outcome((Row("tests", "3 passed"),)),
        Outcome((Row("compiled", "1 graphs were not recorded", 125.0, 1.5),)),
    ]
    rows = command.merged(PARTS, outcomes)
    assert [row.result for row in rows] == [
        "none in 1 of them; lecam (lecam.py:66 x 2); own (failed with ValueError: no)",
        "1.00 times the first",
        "2.50 times the first, 1 graphs were not recorded",
        "3 passed",
    ]
    assert rows[0].what.startswith("waits of the host in a step of 2 of ")
    assert command.merged(PARTS, [Outcome((), "failed")] * 4) == []


def test_the_table_has_what_was_measured_and_a_sentence_for_what_was_not(monkeypatch, capsys):
    found = iter([Outcome((Row("ring"),)), *[Outcome((), "ended with status 1: no memory")] * 20])
    monkeypatch.setattr(command, "measured", lambda words, seconds: next(found))
    monkeypatch.setattr(command, "missing_compiler", lambda device: "no compiler here")
    words = ["--device", "cpu", "--small", "--only", "waits", "steps", "compiled"]
    assert command.main(words) == command.FAILURE
    out = capsys.readouterr().out
    assert "| waits of the host in a step of 1 of" in out
    assert "- not measured: r3gan, usual, float32: ended with status 1: no memory.\n" in out
    assert "- not measured: stylegan2, compiled, " in out and ": no compiler here.\n" in out
    monkeypatch.setattr(command, "measured", lambda words, seconds: Outcome(()))
    assert command.main(words) == command.LACKING
    monkeypatch.setattr(command, "missing_compiler", lambda device: "")
    monkeypatch.setattr(command, "missing_bfloat16", lambda device: "")
    assert command.main(words) == command.DONE


def test_all_parts_together_have_eight_minutes_and_modules():
    chosen = argparse.Namespace(device=CUDA, small=False, minutes=8.0, batch=None, samples="samples.png")
    parts = command.parts_of(chosen)
    assert sum(part.seconds for part in parts) <= 8 * 60 - command.END
    assert {part.kind for part in parts} == {*command.KINDS}
    assert {part.words[0] for part in parts} == {"waits", "steps", "checks", "colours"}


def test_what_does_not_fit_is_a_sentence(monkeypatch, capsys):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(steps, "ours", full)
    assert steps.main(["r3gan", "eager", "float32", "cpu", "--small"]) == 1
    assert capsys.readouterr().err == "does not fit into the memory at batch 4: give a smaller --batch\n"


def test_the_usual_penalty_is_the_mean_squared_gradient():
    x = torch.randn(5, 3, requires_grad=True)
    scale = torch.arange(1.0, 6.0)
    w = torch.tensor([1.0, 2.0, 2.0])
    found = steps.penalty(scale * (x @ w), x)
    assert found.item() == pytest.approx((scale.square() * 9).mean().item())


def test_the_pace_is_that_of_whole_cycles_after_the_first_steps(monkeypatch):
    clock = [0.0]

    def step():
        clock[0] += 100.0 if clock[0] < 300 else 0.5

    monkeypatch.setattr(steps.time, "perf_counter", lambda: clock[0])
    assert steps.pace(step, 3, 4, CPU, 10.0) == 8.0
    assert clock[0] == 300 + 2 * steps.LAZY * 0.5


def test_waits_are_counted_by_the_line_that_causes_them(monkeypatch):
    modes = []
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", modes.append)

    def step():
        for _ in range(2):
            warnings.warn("called a synchronizing CUDA operation (Triggered internally)", stacklevel=1)
        warnings.warn("something else", stacklevel=1)

    line = step.__code__.co_firstlineno + 2
    assert waits.reported(step) == Counter({f"test_gpu.py:{line}": 2})
    assert modes == ["warn", "default"]
    with pytest.raises(ZeroDivisionError):
        waits.reported(lambda: 1 / 0)
    assert modes[-1] == "default"


def test_waits_of_a_recipe_are_in_words(monkeypatch):
    monkeypatch.setattr(waits, "profiled", lambda step, device: Counter(step()))
    counts = iter([{}, {}, {"aten::item": 2}, {}, {}, {}])
    monkeypatch.setattr(waits, "step_of", lambda name, device: lambda: next(counts))
    assert [waits.waits("lecam", CPU), waits.waits("ring", CPU)] == ["aten::item x 2", ""]


@pytest.mark.slow
def test_readings_of_a_value_are_counted():
    value = torch.ones(())
    assert waits.profiled(lambda: [value.item() for _ in range(3)], CPU) == {waits.CALLS["cpu"]: 3}
    assert waits.profiled(lambda: value + 1, CPU) == {}


def test_outcomes_of_tests_are_counted():
    outcomes = checks.Outcomes()
    for when, outcome in [("call", "passed"), ("setup", "passed"), ("setup", "skipped"), ("call", "failed")]:
        report = {"nodeid": f"test_it.py::test_{when}", "when": when, "outcome": outcome, "longrepr": None}
        outcomes.pytest_runtest_logreport(pytest.TestReport(**report, location=("", 0, ""), keywords={}))
    assert outcomes.words == "1 passed, 1 failed, 1 skipped: test_call"


@pytest.mark.slow
def test_the_tests_of_a_folder_are_counted(tmp_path):
    path = tmp_path / "test_three.py"
    path.write_text("import pytest\n\ndef test_a(): pass\n\ndef test_b(): pytest.skip('no')\n\ndef test_c(): 1 / 0\n")
    done = python("-m", "benchmarks.gpu.checks", "cpu", path, cwd=checks.ROOT)
    assert done.returncode == 1
    assert rows_in(done.stdout) == [Row("tests", "1 passed, 1 failed, 1 skipped: test_c")]


@pytest.mark.slow
@pytest.mark.timeout(1_500)  # the command has a budget of its own
def test_the_command_measures_all_parts_on_the_cpu(tmp_path, forks, capsys):
    words = ["--device", "cpu", "--small", "--minutes", "20", "--samples", str(tmp_path / "samples.png")]
    assert command.main(words) in (command.DONE, command.LACKING)
    out = capsys.readouterr().out
    assert (tmp_path / "samples.png").stat().st_size and "not measured" not in out
    assert out.count(" times the first") == 6 or "emulates" not in out
