"""`make up`: starts what does not run, enrols secrets, deploys the stacks, writes `stack.env`, says what to try."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from forceglue.errors import SetupError
from local_stack import env_file, ports, trying
from local_stack.deployed import Outputs, Session, deploy_all, local_address
from local_stack.enrolling import app, enrol
from local_stack.parts import AWS, CREDENTIALS, ORG, SPARK, Part, aws_settings, start_aws, start_org, start_spark, wait
from local_stack.place import Place
from local_stack.processes import Kept

USUAL_PORT = 4566
_ANEW = "`make down`, then `make up`."
_NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
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
    here = [part for part, other in ((ORG, org), (AWS, aws), (SPARK, aws)) if other is None]
    already = {part.name: kept for part in here if (kept := place.processes.running(part.name))}
    running = _started(place, here, already)
    for part, other in ((ORG, org), (AWS, aws)):
        if other is not None:
            tell(f"{part.what} is replaced by {other}")
    for part in here:
        kept = running[part.name]
        if kept == already.get(part.name):
            tell(f"{part.what} runs already (process {kept.pid}, {kept.url})")
        if part is not SPARK:  # it takes longest, and the stacks do not need it
            wait(part, kept)
            tell(f"{part.what} answers at {kept.url}")
    endpoint, salesforce = aws or running[AWS.name].url, org or running[ORG.name].url
    credentials = _credentials(place, aws)
    outputs = _deployed(place, tell, endpoint, salesforce, credentials)
    if aws is None:
        wait(SPARK, running[SPARK.name])
        tell(f"{SPARK.what} is ready for Glue's jobs")
    else:
        tell(f"Glue's jobs are run by {aws}, and by no Spark of ours")
    values = _values(place, endpoint, salesforce, credentials, outputs)
    path = env_file.write(place.folder, values)
    tell(f"up in {time.monotonic() - begun:.0f} s; {path} says where everything is")
    tell(trying.told(place, path))
    return values


def _started(place: Place, here: Sequence[Part], already: Mapping[str, Kept]) -> dict[str, Kept]:
    """Starts what does not run; all at once, since each takes a while.

    The emulator was told where its runner is, and secrets where the org is: what has to be started again gets the port
    that it had.
    """
    processes, found = place.processes, dict(already)
    if ORG in here and ORG.name not in found:
        found[ORG.name] = start_org(processes, _port(place, ORG, "SALESFORCE_PORT", 0))
    if AWS not in here:
        return found
    spark_port = _port(place, SPARK, "SPARK_PORT", 0) if SPARK.name not in found else _port_of(found[SPARK.name])
    if AWS.name not in found:
        # a Spark that was left over reads from an AWS that is gone
        processes.end(SPARK.name)
        found.pop(SPARK.name, None)
        port, runner = _port(place, AWS, "AWS_PORT", USUAL_PORT), f"http://{ports.HOST}:{spark_port}"
        found[AWS.name] = start_aws(processes, place.python_of_aws, port, runner, place.region)
    elif (last := processes.last(SPARK.name)) is None or _port_of(last) != spark_port:
        raise SetupError(f"the emulated AWS runs, but not the Spark that it knows, whose port is taken: {_ANEW}")
    if SPARK.name not in found:
        found[SPARK.name] = start_spark(processes, spark_port, found[AWS.name].url, place.region)
    return found


def _port(place: Place, part: Part, variable: str, usual: int) -> int:
    """The port for a part that is to be started; the one that it had, where nobody asks for another."""
    last = place.processes.last(part.name)
    return ports.chosen(variable, place.environ.get(variable, ""), usual if last is None else _port_of(last))


def _port_of(kept: Kept) -> int:
    return int(kept.url.rpartition(":")[2])


def _credentials(place: Place, aws: str | None) -> dict[str, str]:
    """The emulator's, or those that go with a server that was named."""
    if aws is None:
        return dict(CREDENTIALS)
    given = {name: place.environ[name] for name in _NAMES if place.environ.get(name)}
    return given if CREDENTIALS.keys() <= given.keys() else dict(CREDENTIALS)


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
    """REST_URL and WS_URL, of the stacks that give `ApiUrl` and `SocketUrl`."""
    names = {"ApiUrl": "REST_URL", "SocketUrl": "WS_URL"}
    return {
        names[name]: local_address(value, endpoint)
        for own in outputs.values()
        for name, value in own.items()
        if name in names
    }
