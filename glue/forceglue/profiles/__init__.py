"""File profiles: sources that are not Salesforce, declared in JSON as object mappings are in YAML. No Spark in here.

The words that a profile shares with a mapping mean the same and are checked by the same code: columns and types, how a
name is found, quality rules. What a mapping leaves to Spark (reading, casting, judging rows) is done here row by row.
"""
