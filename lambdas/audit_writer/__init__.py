"""Entries of the audit, from their queue into their table."""
