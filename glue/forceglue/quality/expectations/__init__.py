"""Great Expectations as declared suite, judge and report, fed with what the run's one pass counted.

All modules here but `quiet` import Great Expectations (seconds): import them only when there is something to judge.
"""
