"""The Frechet distance as in pytorch-fid and clean-fid, by `scipy.linalg.sqrtm`.

    .venv-peers/bin/python benchmarks/peers/peer_sqrtm.py moments.npz

Run by benchmarks/speed/frechet.py with the Python of `make peers`; it does not import zerosum. It answers each
line of standard input with the distance and the seconds.
"""

import json
import sys
import time

import numpy as np
import scipy
import scipy.linalg


def main(path: str) -> None:
    """Answer each line with the distance of the file's moments and its seconds."""
    with np.load(path) as archive:
        drift = archive["real_mean"] - archive["fake_mean"]
        real, fake = archive["real_covariance"], archive["fake_covariance"]
    for _ in sys.stdin:
        begun = time.perf_counter()
        root, _ = scipy.linalg.sqrtm(real @ fake, disp=False)  # as these packages call it
        value = drift @ drift + np.trace(real) + np.trace(fake) - 2 * np.trace(root.real)
        answer = {"seconds": time.perf_counter() - begun, "value": float(value), "version": scipy.__version__}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
