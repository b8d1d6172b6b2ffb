"""A made-up org that lands with the mess of real data, and the story of the runs that load it; Spark-free."""
