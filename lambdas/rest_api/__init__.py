"""Salesforce for applications: records, queries and batches over HTTP, with an API that documents itself."""
