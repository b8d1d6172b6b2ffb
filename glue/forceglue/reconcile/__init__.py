"""Do the tables hold what Salesforce holds? Counts and sums of both sides, by day, and what explains a difference."""
