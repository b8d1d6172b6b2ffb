"""The data dictionary: what each table and dataset holds and where it comes from, as static HTML."""
