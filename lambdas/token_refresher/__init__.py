"""The token refresher: keeps the Salesforce tokens of many users valid, each refresh token used once."""
