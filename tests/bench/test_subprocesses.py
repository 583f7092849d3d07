import signal
import sys

import pytest

from zerosum.bench.subprocesses import Command, run_commands
from zerosum.training.signals import Interrupted, Terminated

BUSY = "import time; end = time.process_time() + {}\nwhile time.process_time() < end: pass"
PATIENT = """
import pathlib, signal, sys, time
def end(number, frame):
    pathlib.Path(sys.argv[1] + ".saved").touch()
    sys.exit(128 + number)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, end)
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""


COUNTING = """
import os, pathlib, sys, time
here = pathlib.Path(sys.argv[1])
(here / sys.argv[2]).touch()
time.sleep(0.4)
there = len(list(here.iterdir()))
(here / sys.argv[2]).unlink()
sys.exit(10 * there + int(os.environ["OMP_NUM_THREADS"]))
"""


def command(folder, name, code, *words):
    return Command((sys.executable, "-c", code, *map(str, words)), folder / f"{name}.log")


def test_processor_time_exit_codes_and_output_are_recorded(tmp_path):
    busy = command(tmp_path, "busy", BUSY.format(0.4))
    idle = command(tmp_path, "idle", "import sys, time; time.sleep(0.6); print('well', file=sys.stderr); sys.exit(3)")
    ended = dict(run_commands([busy, idle], 2, 1))
    assert (ended[0].code, ended[1].code) == (0, 3) and not ended[0].stopped
    assert ended[0].cpu_seconds >= 0.4 and ended[1].cpu_seconds < 0.4 and ended[1].seconds >= 0.6
    assert (tmp_path / "idle.log").read_text() == "well\n" and (tmp_path / "busy.log").read_text() == ""


def test_no_more_run_at_once_than_jobs_and_each_has_its_threads(tmp_path):
    (tmp_path / "here").mkdir()
    commands = [command(tmp_path, f"c{n}", COUNTING, tmp_path / "here", n) for n in range(4)]
    codes = [ended.code for _, ended in run_commands(commands, 2, 3)]
    assert all(code % 10 == 3 for code in codes), "threads"
    assert max(code // 10 for code in codes) <= 2, "jobs"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_forwarded_and_stops_the_rest(tmp_path, number):
    commands = [command(tmp_path, f"c{n}", PATIENT, tmp_path / f"{n}") for n in range(3)]
    ended, sent = [], []

    def look():
        if not sent and all((tmp_path / str(n)).exists() for n in (0, 1)):
            sent.append(signal.raise_signal(number))

    with pytest.raises(Interrupted if number == signal.SIGINT else Terminated) as stopped:
        ended.extend(run_commands(commands, 2, 1, look))
    assert stopped.value.code == 128 + number
    assert (tmp_path / "0.saved").exists() and (tmp_path / "1.saved").exists() and not (tmp_path / "2").exists()


def test_abandoned_processes_are_ended(tmp_path):
    commands = [command(tmp_path, f"c{n}", PATIENT, tmp_path / f"{n}") for n in range(2)]

    def look():
        if all((tmp_path / str(n)).exists() for n in (0, 1)):
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        list(run_commands(commands, 2, 1, look))
    assert (tmp_path / "0.saved").exists() and (tmp_path / "1.saved").exists()


def test_refusals():
    with pytest.raises(ValueError, match="jobs and threads must be at least 1; found jobs=0 and threads=1"):
        list(run_commands([], 0, 1))
