"""What landed: where files lie, which are fit to be loaded, which are new. Pure Python and pyarrow, no Spark."""
