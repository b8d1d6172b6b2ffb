"""Writing: Delta tables, and the deliveries of datasets."""
