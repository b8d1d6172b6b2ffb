"""Deployment of every stack to one environment: code, mappings, then the templates in order, by change sets.

    python -m deploy dev [STACK …] [--dry-run]

Of boto3 alone: neither SAM nor the AWS command line is needed. `AWS_ENDPOINT_URL` sends it to an emulator. It is no
function: `make lambdas` leaves it out of their package.
"""

from deploy.deploying import deploy
from deploy.settings import Settings

__all__ = ["Settings", "deploy"]
