from __future__ import annotations

import json

from lambdas.gateway import Context, Stdout
from multiply_flows import handler


def event(multiply: object) -> dict[str, object]:
    resources = {"Flow": {"Type": "X", "Multiply": multiply, "Properties": {"Name": {"Ref": "DisplayName"}}}}
    return {
        "region": "eu-west-1", "accountId": "123456789012", "transformId": "123456789012::MultiplyFlows", "params": {},
        "requestId": "r-1", "fragment": {"Resources": resources}, "templateParameterValues": {"Objects": ["Account"]},
    }  # fmt: skip


def test_the_answer_is_as_cloudformation_takes_it(capsys) -> None:
    handler.logger.logger_handler.setStream(Stdout())
    assert handler.handler(event({"Ref": "Objects"}), Context()) == {
        "requestId": "r-1", "status": "success",
        "fragment": {"Resources": {"FlowAccount": {"Type": "X", "Properties": {"Name": "Account"}}}},
    }  # fmt: skip
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (told,) = (line for line in lines if line.get("message") == "template multiplied")
    assert told["correlation_id"] == "r-1" and told["resources"] == {"before": 1, "after": 1}


def test_a_template_that_is_wrong_fails_with_every_problem() -> None:
    said = handler.handler(event("A B, C D"), Context())
    assert said["status"] == "failure" and said["requestId"] == "r-1"
    assert said["errorMessage"].count("\n") == 1
    assert "'A B' is no API name" in said["errorMessage"] and "'C D' is no API name" in said["errorMessage"]
