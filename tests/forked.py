"""Python commands, each in a process of its own that is forked from one which has loaded PyTorch and zerosum.

    done = python("-W", "error", "-m", "zerosum", "recipes", cwd=folder)

Starting Python and importing PyTorch takes most of the time of a short command. The process to fork from is started
once for each process of pytest, and computes nothing, so that a fork of it is as a new process is.
"""

import array
import atexit
import contextlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
import warnings
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
_LONGEST = 1 << 20  # bytes of a request


def python(*words, cwd=None, env=None, timeout=300):
    """Run `python *words`, options `-W error`, then `-m MODULE`, `-c CODE` or a file, and return as `subprocess.run`.

    It computes with one thread. Raises `subprocess.TimeoutExpired` after `timeout` seconds.
    """
    words = [*map(str, words)]
    request = {"words": words, "cwd": str(cwd or Path.cwd()), "env": dict(os.environ if env is None else env)}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, _server() as connection:
        files = array.array("i", [out.fileno(), err.fileno()])
        message = json.dumps(request).encode()
        connection.sendmsg([len(message).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
        connection.sendall(message)
        pid = int.from_bytes(_received(connection, 8), "big")
        connection.settimeout(timeout)
        try:
            code = int.from_bytes(_received(connection, 8), "big", signed=True)
        except TimeoutError:
            os.killpg(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(words, timeout) from None
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    return subprocess.CompletedProcess([sys.executable, *words], code, *texts)


@contextlib.contextmanager
def _server():
    """A connection to the process to fork from."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(_started())
        yield connection


@cache
def _started():
    """Start the process to fork from, and return the address at which it listens."""
    folder = Path(tempfile.mkdtemp(prefix="forked"))
    address = str(folder / "socket")
    one = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, __file__, address], cwd=ROOT, env=one, stdout=subprocess.PIPE)

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
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that hold a connection
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        connection, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _hold(connection)
        connection.close()


def _hold(connection):
    """Run the command of a connection in a further fork, and send its number and its exit status."""
    start, ancillary, *_ = connection.recvmsg(8, socket.CMSG_LEN(2 * array.array("i").itemsize))
    files = array.array("i")
    files.frombytes(ancillary[0][2])
    length = int.from_bytes(start, "big")
    assert length <= _LONGEST
    request = json.loads(_received(connection, length))
    pid = os.fork()
    if pid == 0:
        connection.close()
        _become(request, *files)
    with contextlib.suppress(OSError):  # who asked may be gone
        connection.sendall(pid.to_bytes(8, "big"))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        connection.sendall(code.to_bytes(8, "big", signed=True))
    os._exit(0)


def _become(request, out, err):
    """Run the command as a process of its own would."""
    os.setpgid(0, 0)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.close(out)
    os.close(err)
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
    except KeyboardInterrupt:
        code = 130
    except BaseException:  # noqa: BLE001  # as the interpreter does
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
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
        exec(compile(words[1], "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv = words
        sys.path.insert(0, str(Path(words[0]).resolve().parent))
        runpy.run_path(words[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    import zerosum
    import zerosum.applications
    import zerosum.cli
    import zerosum.evaluation
    import zerosum.recipes
    import zerosum.report
    import zerosum.training.train

    for room in (zerosum.recipes, zerosum.evaluation, zerosum.networks, zerosum.terms, zerosum.objectives):
        dir(room)
    _serve(sys.argv[1])
