"""What one can try, once the stack is up."""

from __future__ import annotations

import os
from pathlib import Path

from local_stack.place import ROOT, Place

_TOLD = """
Try, in this shell:

  . {path}
  export PATH="{bin}:$PATH"
  forceglue extract Account Contact Opportunity --landing "s3://$LANDING_BUCKET" --lag 0
      # a token of the broker's; files land, each is an event, the events start the Glue job
  make events        # the whole story under one correlation id
  forceglue status --landing "s3://$LANDING_BUCKET" --warehouse "s3://$WAREHOUSE_BUCKET"
  curl --aws-sigv4 "aws:amz:$AWS_REGION:execute-api" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" "$TOKEN_URL"

Logs are in {folder}. `make up` again deploys what you changed; `make down` ends it all."""


def told(place: Place, path: Path) -> str:
    """The lines."""
    return _TOLD.format(path=_short(path), bin=_short(ROOT / ".venv" / "bin"), folder=_short(place.folder))


def _short(path: Path) -> str:
    """Relative where it lies below the working directory."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
