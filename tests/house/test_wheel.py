"""The wheel: what is in it, and that it works in a fresh environment, away from the checkout."""

import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import torch

import zerosum

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=root, check=True, timeout=120)
    (file,) = folder.glob("*.whl")
    return file


def test_it_holds_all_files_of_the_package_and_says_what_covers_them(wheel, root):
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
        (metadata,) = (name for name in inside if name.endswith(".dist-info/METADATA"))
        metadata_of_it = Parser().parsestr(archive.read(metadata).decode())
    source = root / "src"
    files = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    wanted = {path for path in files if "__pycache__" not in path and ".egg-info" not in path}
    assert {"zerosum/py.typed", "zerosum/objectives/__init__.pyi", "zerosum/data/assets/digits.png"} <= wanted
    assert wanted <= inside
    assert {name.partition("/")[0] for name in inside} == {"zerosum", metadata.partition("/")[0]}
    assert metadata_of_it["Version"] == zerosum.__version__
    assert metadata_of_it["License-Expression"] == "Apache-2.0 AND CC-BY-SA-3.0"
    assert metadata_of_it.get_all("License-File") == ["LICENSE", "src/zerosum/data/assets/NOTICE.md"]


def test_it_trains_samples_reports_and_scores_in_a_fresh_environment(wheel, tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}

    def run(*command):
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=250)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(sys.executable, "-m", "venv", "fresh")
    python, zs = tmp_path / "fresh/bin/python", str(tmp_path / "fresh/bin/zerosum")
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (packages / "dependencies.pth").write_text(str(Path(torch.__file__).parents[1]))  # its own .pth files are not read
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    assert Path(run(python, "-c", "import zerosum; print(zerosum.__file__)").strip()).is_relative_to(packages)

    run(zs, "train", "ring", "--images", "2000", "--out", "run")
    run(zs, "sample", "run", "--n", "100", "--out", "samples.npz")
    run(zs, "report", "run")
    run(zs, "evaluate", "Digits()", "Digits()", "--features", "pixels", "--n", "200", "--out", "scores.json")
    assert "<style>" in (tmp_path / "run/report.html").read_text()
    assert (tmp_path / "samples.npz").is_file()
    assert "fid" in (tmp_path / "scores.json").read_text()
