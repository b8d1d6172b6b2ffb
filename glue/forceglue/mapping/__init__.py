"""The mapping language: models, loading and checking. Nothing in here needs Spark."""
