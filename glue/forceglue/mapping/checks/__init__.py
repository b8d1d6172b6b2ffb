"""The static checks, one module a concern; `forceglue.mapping.check` runs them all."""
