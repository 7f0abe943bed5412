"""Evaluation of a hybrid and its twins that were trained over several folds and seeds.

`comparison.compare_runs` puts together what the other modules compute; docs/statistics.md says
when each test holds. Differences are always hybrid − twin, in an array (F, S) of folds and seeds in
which a failed run is NaN.
"""
