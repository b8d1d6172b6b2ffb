"""Quality gates: row rules inside the write, the quarantine, and Great Expectations as suite, judge and report."""
