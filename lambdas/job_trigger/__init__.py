"""The job trigger: files that were ingested start the Glue job, many files one run, and none without a run after it."""
