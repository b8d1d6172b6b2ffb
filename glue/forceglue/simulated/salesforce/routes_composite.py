"""Several calls in one."""

from __future__ import annotations

from forceglue.simulated.salesforce.desk import Routes

ROUTES: Routes = ()
