"""Rows on their way: reading what landed, casts, latest versions, lookups, joins, columns. Spark from here on."""
