"""forceglue: declarative mappings from Salesforce to the lakehouse and the warehouse."""

__version__ = "0.1.0"
