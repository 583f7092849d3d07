"""The metrics of `zerosum evaluate`, one file each; `zerosum.evaluation.measure` defines the protocol."""
