"""Logs made by hand: of a healthy run, and of one that collapses half way."""

HEALTHY = {
    "signal/arbiter": 0.55, "signal/arbiter_live": 0.55, "signal/coverage": 0.95, "signal/coverage_live": 0.95,
    "signal/clusters": 0.98, "signal/clusters_live": 0.97, "signal/spread": 1.0, "signal/spread_live": 1.0,
    "signal/mean_distance": 1.0, "signal/shift_live": 0.1,
}  # fmt: skip
COLLAPSED = HEALTHY | {
    "signal/arbiter": 1.0, "signal/arbiter_live": 1.0, "signal/coverage": 0.0, "signal/coverage_live": 0.0,
    "signal/clusters": 0.05, "signal/clusters_live": 0.05, "signal/spread": 0.05, "signal/spread_live": 0.05,
}  # fmt: skip


def log_of(*check_ups):
    """A log with a line of losses and one of a check-up after every 10,000 images."""
    lines = []
    for number, signals in enumerate(check_ups, 1):
        clock = {"images": 10_000 * number, "steps": 400 * number, "seconds": float(number)}
        lines += [{**clock, "D/loss": 1.386, "G/loss": 0.693}, {**clock, **signals}]
    return lines


WELL, ILL = log_of(*[HEALTHY] * 6), log_of(*[HEALTHY] * 3, *[COLLAPSED] * 6)
