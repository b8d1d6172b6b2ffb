"""What a user would write without forceglue: plain PySpark, Great Expectations, DuckDB."""
