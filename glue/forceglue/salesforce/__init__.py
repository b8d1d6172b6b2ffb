"""Salesforce's APIs: settings of the connection, sign-in, one client for REST and Bulk 2.0. Nothing of the project."""
