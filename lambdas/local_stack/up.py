"""`make up`: starts what does not run, enrols secrets, deploys the stacks, writes `stack.env`, says what to try."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from forceglue.errors import SetupError
from local_stack import env_file, ports, trying
from local_stack.deployed import Outputs, Session, deploy_all, local_address
from local_stack.enrolling import app, enrol
from local_stack.parts import AWS, CREDENTIALS, ORG, SPARK, aws_settings, start_aws, start_org, start_spark, wait
from local_stack.place import Place
from local_stack.processes import Kept

USUAL_PORT = 4566
Tell = Callable[[str], None]


def up(place: Place, tell: Tell) -> dict[str, str]:
    """Brings the stack up, or what of it is not up; gives what `stack.env` says.

    Raises:
        SetupError: a tool is missing, a port is taken, a part does not start.
        UsageError, deploy.change.DeploymentFailed: the stacks cannot be deployed.
    """
    begun = time.monotonic()
    aws, org = place.other(AWS), place.other(ORG)
    if aws is None and not place.python_of_aws.exists():
        raise SetupError(
            f"{place.python_of_aws} is not there: the emulated AWS has an environment of its own; `make up` makes it."
        )
    running = _started(place, tell, aws, org)
    endpoint = aws or running[AWS.name].url
    salesforce = org or running[ORG.name].url
    for part, other in ((AWS, aws), (ORG, org)):
        if other is None:
            wait(part, running[part.name])
            tell(f"{part.what} answers at {running[part.name].url}")
        else:
            tell(f"{part.what} is replaced by {other}")
    credentials = _credentials(place, aws)
    outputs = _deployed(place, tell, endpoint, salesforce, credentials)
    if aws is None:
        wait(SPARK, running[SPARK.name])
        tell(f"{SPARK.what}, is ready")
    else:
        tell("Glue's jobs are run by that server, not by a warm Spark of ours")
    values = _values(place, endpoint, salesforce, credentials, outputs)
    path = env_file.write(place.folder, values)
    tell(f"up in {time.monotonic() - begun:.0f} s; {path} says where everything is")
    tell(trying.told(place, path))
    return values


def _started(place: Place, tell: Tell, aws: str | None, org: str | None) -> dict[str, Kept]:
    """Starts what does not run; all at once, since each takes a while. What runs is told."""
    processes, region = place.processes, place.region
    found: dict[str, Kept] = {}
    for part, other in ((ORG, org), (AWS, aws), (SPARK, aws)):
        if other is None and (kept := processes.running(part.name)):
            found[part.name] = kept
            tell(f"{part.what} runs already (process {kept.pid}, {kept.url})")
    if org is None and ORG.name not in found:
        found[ORG.name] = start_org(processes, _port(place, "SALESFORCE_PORT", 0))
    if aws is not None:
        return found
    spark_port = ports.free() if SPARK.name not in found else 0
    runner = found[SPARK.name].url if SPARK.name in found else f"http://{ports.HOST}:{spark_port}"
    if AWS.name not in found:
        port = _port(place, "AWS_PORT", USUAL_PORT)
        found[AWS.name] = start_aws(processes, place.python_of_aws, port, runner, region)
        # a Spark that was left over reads from an AWS that is gone
        if processes.end(SPARK.name):
            found.pop(SPARK.name)
            spark_port = int(runner.rpartition(":")[2])
    if SPARK.name not in found:
        found[SPARK.name] = start_spark(processes, spark_port, found[AWS.name].url, region)
    return found


def _port(place: Place, variable: str, usual: int) -> int:
    return ports.chosen(variable, place.environ.get(variable, ""), usual)


def _credentials(place: Place, aws: str | None) -> dict[str, str]:
    """The emulator's, or those that go with a server that was named."""
    if aws is None:
        return dict(CREDENTIALS)
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    given = {name: place.environ[name] for name in names if place.environ.get(name)}
    return given or dict(CREDENTIALS)


def _deployed(place: Place, tell: Tell, endpoint: str, salesforce: str, credentials: Mapping[str, str]) -> Outputs:
    session = Session(endpoint, place.region, credentials)
    enrol(session.client("secretsmanager"), place.environment, app(salesforce, place.environ))
    tell(f"the app that signs in to Salesforce is the secret {place.environment}/salesforce/app")
    return deploy_all(place.environment, session, place.mappings, tell, {})


def _values(
    place: Place, endpoint: str, salesforce: str, credentials: Mapping[str, str], outputs: Outputs
) -> dict[str, str]:
    """What `stack.env` says. The addresses of APIs that are not there yet are left out."""
    broker = local_address(outputs["tokens"]["BrokerUrl"], endpoint)
    storage, glue = outputs["storage"], outputs["glue"]
    return {
        **aws_settings(endpoint, place.region),
        **credentials,
        "SALESFORCE_URL": salesforce,
        "TOKEN_URL": broker,
        "SF_BROKER_URL": broker,
        # that address does not tell that it is an API Gateway's, which wants a signature
        "SF_BROKER_AUTH": "iam",
        "LANDING_BUCKET": storage["LandingBucket"],
        "WAREHOUSE_BUCKET": storage["WarehouseBucket"],
        "DELIVERY_BUCKET": storage["DeliveryBucket"],
        "GLUE_JOB": glue["JobName"],
        "EVENT_LOG": f"/aws/events/{place.environment}-sf-to-dw",
        **_apis(outputs, endpoint),
    }


def _apis(outputs: Outputs, endpoint: str) -> dict[str, str]:
    """REST_URL and WS_URL, of the stacks that give `RestUrl` and `WsUrl`."""
    names = {"RestUrl": "REST_URL", "WsUrl": "WS_URL"}
    return {
        names[name]: local_address(value, endpoint)
        for own in outputs.values()
        for name, value in own.items()
        if name in names
    }
