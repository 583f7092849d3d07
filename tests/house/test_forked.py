"""Commands of tests are forked, and are as new processes are."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.forked import Forked, python

CODE = """
import os, sys, warnings
print(sys.argv, os.getcwd(), os.environ.get("WORD"), "HOME" in os.environ)
print(sys.stdin.read() == "", "pytest" in sys.modules)
sys.stderr.write("said\\n")
warnings.warn("odd")
"""


def test_a_forked_command_is_as_a_new_process_is(tmp_path):
    env = {name: word for name, word in os.environ.items() if name != "HOME"} | {"WORD": "here"}
    words = ("-W", "error", "-c", CODE, "a", "b")
    new = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    forked = python(*words, cwd=tmp_path, env=env)
    assert new.returncode == forked.returncode == 1 and new.stdout == forked.stdout
    assert f"['-c', 'a', 'b'] {tmp_path} here False\nTrue False\n" == forked.stdout
    for done in (new, forked):
        assert done.stderr.startswith("said\n") and done.stderr.endswith("UserWarning: odd\n")


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [("", 0, ""), ("import sys; sys.exit(7)", 7, ""), ("import sys; sys.exit('no')", 1, "no\n")],
)
def test_it_ends_with_its_status(code, status, said):
    done = python("-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", said)


def test_it_dies_by_signals_and_of_age_and_files_are_run_from_where_they_are(tmp_path):
    assert python("-c", "import os; os.kill(os.getpid(), 9)").returncode == -9
    with pytest.raises(subprocess.TimeoutExpired):
        python("-c", "import time; time.sleep(60)", timeout=0.5)
    (tmp_path / "beside.py").write_text("word = 'beside'")
    (tmp_path / "mine.py").write_text("import beside, sys\nprint(__name__, beside.word, sys.argv[1])")
    assert python(tmp_path / "mine.py", "x").stdout == "__main__ beside x\n"


LATE = "import threading; threading.Timer(0.1, print, ('late',)).start()"


@pytest.mark.parametrize(
    ("code", "status", "said"), [(LATE, 0, "late\n"), ("raise KeyboardInterrupt", -signal.SIGINT, "")]
)
def test_it_waits_for_threads_and_dies_of_interrupts(code, status, said):
    """What tests of hanging reads and of Ctrl-C would otherwise not see."""
    new, forked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True), python("-c", code)
    for done in (new, forked):
        assert (done.returncode, done.stdout) == (status, said)
        assert done.stderr.endswith("\nKeyboardInterrupt\n") == (status < 0)


def test_output_that_is_lost_is_a_failure():
    """What tests of full disks and closed pipes would otherwise not see."""
    statuses = []
    for popen in (subprocess.Popen, Forked):
        with Path("/dev/full").open("w") as full:
            words = [sys.executable, "-c", "print('lost')"]
            with popen(words, stdout=full, stderr=subprocess.DEVNULL) as process:
                statuses.append(process.wait(60))
    assert statuses[0] == statuses[1] > 0
