"""Running: the plan as a value, all mappings in one session, and the report."""
