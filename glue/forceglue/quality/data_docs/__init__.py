"""Data Docs of Great Expectations, rendered so that the pages need neither the network nor scripts from elsewhere."""
