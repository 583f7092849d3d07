"""The metrics of `zerosum evaluate`, a file each; what a metric is stands in `zerosum.evaluation.measure`."""
