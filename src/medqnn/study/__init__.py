"""Studies: hybrid and twins trained over folds and seeds, and what can be said from that.

`plan` begins a study in a `folder`; `jobs` are the trainings of which it consists, `launch` has
them done by a crew (`local` processes, or `cluster`, a Ray cluster); `table` and `results` gather
what came out; `leaderboard` puts studies side by side.
"""
