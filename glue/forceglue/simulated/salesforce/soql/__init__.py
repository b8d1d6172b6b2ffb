"""SOQL checked against the org's objects, and translated to the store's SQL."""
