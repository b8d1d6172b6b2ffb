"""AppFlow flows made from the mappings: what `forceglue flows` writes. No call to Salesforce or AWS, no Spark."""
