"""Great Expectations as declared suite, judge and report, fed with what the run's one pass counted.

Modules here import Great Expectations (seconds): import them only when a mapping has rules or expectations.
"""
