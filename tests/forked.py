"""Python processes that are forked from one which has loaded PyTorch and zerosum.

    done = python("-W", "error", "-m", "zerosum", "recipes", cwd=folder)

    with forking():
        subprocess.run([sys.executable, "-m", "zerosum", "recipes"])

Starting Python and loading what a short command needs takes most of its time. The process to fork from is started once
for each process of pytest, and computes nothing, so that a fork of it is as a new process is. A fork is a child of the
process that asked for it, which can signal it and wait for it; systems other than Linux get new processes.
"""

import array
import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import types
import warnings
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
_POPEN = subprocess.Popen
_SUBREAPER = 36  # of prctl: orphans among its descendants become its children
_OPTIONS = ("-W", "-m", "-c")  # that a fork understands


def python(*words, cwd=None, env=None, timeout=300):
    """Run `python *words`, options `-W error`, then `-m MODULE`, `-c CODE` or a file, and return as `subprocess.run`.

    It computes with one thread. Raises `subprocess.TimeoutExpired` after `timeout` seconds.
    """
    command, pipe = [sys.executable, *map(str, words)], subprocess.PIPE
    options = {"stdin": subprocess.DEVNULL, "stdout": pipe, "stderr": pipe, "text": True, "errors": "replace"}
    with Forked(command, cwd=cwd, env=env, start_new_session=True, **options) as process:
        try:
            texts = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, *texts)


def ranks(count, *words, timeout=300):
    """Run `python *words` in so many processes of one run, as torchrun does, and return their exit statuses."""
    from torch.distributed import TCPStore  # which only who asks for it loads

    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port), "TORCHELASTIC_USE_AGENT_STORE": "True"}
    processes = []
    for number in range(count):
        own = {"RANK": str(number), "LOCAL_RANK": str(number), "WORLD_SIZE": str(count)}
        processes.append(Forked([sys.executable, *map(str, words)], env=os.environ | meeting | own))
    try:
        return [process.wait(timeout) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()


@contextlib.contextmanager
def forking():
    """Within it, the Python processes that `subprocess` starts are forks; those of other programs are not."""
    subprocess.Popen = Forked
    try:
        yield
    finally:
        subprocess.Popen = _POPEN


class Forked(_POPEN):
    """A process as `subprocess.Popen` starts it, but forked where it is Python with the options of `python`."""

    def _execute_child(self, args, executable, preexec_fn, close_fds, pass_fds, cwd, env, *rest):
        words = None if isinstance(args, (str, bytes, os.PathLike)) else [*map(os.fspath, args)]
        *_, start_new_session, _ = rest
        plain = not words or words[0] != sys.executable or (words[1][:1] == "-" and words[1] not in _OPTIONS)
        if plain or sys.platform != "linux":
            super()._execute_child(args, executable, preexec_fn, close_fds, pass_fds, cwd, env, *rest)
            return
        assert preexec_fn is None and not pass_fds
        pipes = rest[3:9]  # stdin, stdout and stderr: each the end to read from, and the end to write to
        request = {
            "words": words[1:],
            "cwd": os.fspath(cwd or Path.cwd()),
            "env": dict(os.environ if env is None else env),
            "session": start_new_session,
        }
        ends = (pipes[0], pipes[3], pipes[5])
        self.pid = _asked(request, [nth if end == -1 else end for nth, end in enumerate(ends)])
        self._child_created = True
        self._close_pipe_fds(*pipes)


def _asked(request, files):
    """Have a process forked, whose standard files are given; return its number."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(_started())
        message = json.dumps(request).encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))]
        connection.sendmsg([len(message).to_bytes(8, "big")], rights)
        connection.sendall(message)
        return int.from_bytes(_received(connection, 8), "big")


@cache
def _started():
    """Start the process to fork from, and return the address at which it listens."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    folder = Path(tempfile.mkdtemp(prefix="forked"))
    address = str(folder / "socket")
    one = os.environ | {"OMP_NUM_THREADS": "1"}
    process = _POPEN([sys.executable, __file__, address], cwd=ROOT, env=one, stdout=subprocess.PIPE)

    def end():
        process.kill()
        process.wait()
        process.stdout.close()
        with contextlib.suppress(OSError):
            (folder / "socket").unlink(missing_ok=True)
            folder.rmdir()

    atexit.register(end)
    assert process.stdout.readline() == b"ready\n", "the process to fork from has ended"
    return address


def _received(connection, count):
    """So many bytes."""
    found = b""
    while len(found) < count:
        part = connection.recv(count - len(found))
        if not part:
            raise EOFError("the other process has ended")
        found += part
    return found


def _serve(address):
    """Fork a process for each connection, which runs one command."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(address)
    listening.listen()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        connection, _ = listening.accept()
        with connection:
            start, ancillary, *_ = connection.recvmsg(8, socket.CMSG_LEN(3 * array.array("i").itemsize))
            files = array.array("i")
            files.frombytes(ancillary[0][2])
            request = json.loads(_received(connection, int.from_bytes(start, "big")))
            pid = _orphan(request, files, listening, connection)
            for file in files:
                os.close(file)
            connection.sendall(pid.to_bytes(8, "big"))


def _orphan(request, files, *sockets):
    """Run a command in the fork of a fork that is gone, which makes it a child of who asked; return its number."""
    mine, its = os.pipe()
    between = os.fork()
    if between == 0:
        pid = os.fork()
        if pid == 0:
            for one in sockets:
                one.close()
            os.close(mine)
            os.close(its)
            _become(request, files)
        os.write(its, pid.to_bytes(8, "big"))
        os._exit(0)
    os.close(its)
    os.waitpid(between, 0)
    with os.fdopen(mine, "rb") as numbers:
        return int.from_bytes(numbers.read(8), "big")


def _become(request, files):
    """Run the command as a process of its own would."""
    if request["session"]:
        os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.path[:0] = [path for path in request["env"].get("PYTHONPATH", "").split(os.pathsep) if path]
    code = 1
    try:
        code = _run(request["words"])
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        if isinstance(error.code, str):
            sys.stderr.write(f"{error.code}\n")
    except BaseException as error:  # noqa: BLE001  # as the interpreter does
        traceback.print_exc()
        code = -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    finally:
        _end(code)


def _end(code):
    """End as the interpreter does: after threads that are no daemons, by a status or, below 0, by a signal."""
    for last in (threading._shutdown, atexit._run_exitfuncs):
        with contextlib.suppress(BaseException):
            last()
    for stream in (sys.stdout, sys.stderr):
        try:
            if not stream.closed:
                stream.flush()
        except OSError:
            code = code if code < 0 else 120
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _run(words):
    warnings.resetwarnings()
    while words[0] == "-W":
        warnings.simplefilter(words[1])
        words = words[2:]
    if words[0] == "-m":
        sys.argv = words[1:]
        sys.path.insert(0, str(Path.cwd()))
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    elif words[0] == "-c":
        sys.argv = ["-c", *words[2:]]
        sys.path.insert(0, "")
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(words[1], "<string>", "exec"), main.__dict__)
    else:
        sys.argv = words
        sys.path.insert(0, str(Path(words[0]).resolve().parent))
        runpy.run_path(words[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    import PIL.Image
    import torch

    import zerosum
    import zerosum.applications
    import zerosum.cli
    import zerosum.evaluation
    import zerosum.recipes.named_recipes
    import zerosum.recipes.reader
    import zerosum.report
    import zerosum.training.train

    zerosum.recipes.named_recipes.catalogue()
    zerosum.recipes.reader.vocabulary()
    PIL.Image.init()
    # What training, a report and an option load on first use: more than a thousand modules, longer than a tiny run.
    torch.optim.SGD([torch.zeros(1)])
    for name in ("matplotlib.figure", "matplotlib.backends.backend_agg", "typer._adapters"):
        with contextlib.suppress(ImportError):  # the last is of some versions
            importlib.import_module(name)
    del sys.path[0]  # the folder of this file
    gc.collect()
    gc.freeze()
    _serve(sys.argv[1])
