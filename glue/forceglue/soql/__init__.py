"""SOQL: a query's text, what it says, and a text again that says the same."""
