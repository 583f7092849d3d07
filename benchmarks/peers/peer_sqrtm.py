"""The Frechet distance as pytorch-fid and clean-fid take it, through `scipy.linalg.sqrtm`: a number and seconds a line.

    .venv-peers/bin/python benchmarks/peers/peer_sqrtm.py moments.npz

Run by benchmarks/speed/frechet.py with the Python of `make peers`; it imports nothing of zerosum. Each line on standard
input asks for one more measurement.
"""

import json
import sys
import time

import numpy as np
import scipy
import scipy.linalg


def main(path: str) -> None:
    """Answer each line with the distance of the file's moments and the seconds that it took."""
    with np.load(path) as archive:
        drift = archive["real_mean"] - archive["fake_mean"]
        real, fake = archive["real_covariance"], archive["fake_covariance"]
    for _ in sys.stdin:
        begun = time.perf_counter()
        root, _ = scipy.linalg.sqrtm(real @ fake, disp=False)  # as they call it
        value = drift @ drift + np.trace(real) + np.trace(fake) - 2 * np.trace(root.real)
        answer = {"seconds": time.perf_counter() - begun, "value": float(value), "version": scipy.__version__}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
