"""The token broker: `GET /sf/token` gives everybody the one access token of an app, refreshed by one for all."""
