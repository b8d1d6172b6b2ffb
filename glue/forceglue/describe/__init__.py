"""What Salesforce says about its objects: kept as snapshots, made into mappings, compared with what is there."""
