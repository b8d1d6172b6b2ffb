"""The parts of a deployment: templates as values, packages, values of parameters, an environment's file."""

from __future__ import annotations

import io
import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy import artefacts, plan, settings, templates
from deploy.settings import Settings
from deploy.values import Unfit, Values, Waits, refused
from forceglue.errors import UsageError
from tests.house.lock import ROOT
from tests.house.templates import told

ALL = templates.templates()


def template(name: str, parameters: str = "", outputs: str = "") -> templates.Template:
    text = f"Parameters: {{{parameters}}}\nResources: {{}}\nOutputs: {{{outputs}}}\n"
    return templates.Template(name, Path(f"/{name}.yaml"), templates.load(text))


def values(*known: templates.Template, given: Settings | None = None, secrets: tuple[str, ...] = ()) -> Values:
    facts = {"env": "dev", "account": "123456789012", "region": "eu-west-1"}
    return Values(
        "dev", given or Settings(), facts, lambda name: f"arn:{name}" if name in secrets else None,
        {one.name: one for one in known},
    )  # fmt: skip


# Templates


@pytest.mark.parametrize("name", ALL)
def test_a_template_is_read_as_cfn_lint_reads_it(name: str) -> None:
    assert ALL[name].body == told(ALL[name].path)


def test_short_forms_in_each_other_and_dates_are_written_out() -> None:
    text = "A: !Join ['-', [!Ref B, !GetAtt C.D.E]]\nV: 2012-10-17\nI: !If [X, !Sub '${Y}', {Condition: !Condition Z}]"
    assert templates.load(text) == {
        "A": {"Fn::Join": ["-", [{"Ref": "B"}, {"Fn::GetAtt": ["C", "D.E"]}]]},
        "V": "2012-10-17",
        "I": {"Fn::If": ["X", {"Fn::Sub": "${Y}"}, {"Condition": {"Condition": "Z"}}]},
    }


def test_storage_is_first_monitoring_last_and_one_that_nobody_named_between() -> None:
    names = [name for name, one in ALL.items() if not one.if_named]
    assert (names[0], names[1], names[-1]) == ("storage", "glue", "monitoring")
    known = [name for name in names if name in templates.FIRST]
    assert known == names[: len(known)] == sorted(known, key=templates.FIRST.index)


def test_flows_that_were_made_are_deployed_when_they_are_named_and_not_with_all(tmp_path: Path) -> None:
    for name in ("storage.yaml", "made/flows-2.yaml", "made/flows-1.yaml", "made/lambdas.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("Resources: {}\n", "utf-8")
    found = templates.templates(tmp_path, tmp_path / "none.yaml", tmp_path / "made")
    assert [*found] == ["storage", "flows-1", "flows-2"]
    asked = values(*found.values())
    assert [one.name for one in plan.chosen((), asked)] == ["storage"]
    assert [one.name for one in plan.chosen(("flows-2",), asked)] == ["flows-2"]
    assert found["flows-1"].stack("dev") == "dev-flows-1"


def test_a_template_that_nobody_named_is_deployed_too(tmp_path: Path) -> None:
    for name in ("monitoring", "zebra", "storage", "ape"):
        (tmp_path / f"{name}.yaml").write_text("Resources: {}")
    assert [*templates.templates(tmp_path, tmp_path / "none")] == ["storage", "ape", "zebra", "monitoring"]


# Packages


def written(folder: Path, files: dict[str, str], mode: int = 0o600) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        os.utime(path, (1, 1_000_000 + mode))
    return folder


def test_a_package_is_the_same_wherever_and_whenever_it_is_made(tmp_path: Path) -> None:
    files = {"b/handler.py": "x", "a.py": "y"}
    one = artefacts.packed(written(tmp_path / "one", files))
    other = artefacts.packed(written(tmp_path / "other", dict(reversed(files.items())), 0o755))
    assert one == other
    with zipfile.ZipFile(io.BytesIO(one.data)) as archive:
        assert archive.namelist() == ["a.py", "b/handler.py"]
        # Lambda's user is not the one who made it
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o644}


def test_every_path_that_a_template_names_becomes_an_address(tmp_path: Path) -> None:
    text = """
    Globals: {Function: {CodeUri: code/, Timeout: 3}}
    Resources:
      One: {Type: AWS::Serverless::Function, Properties: {Handler: a.b}}
      Two: {Type: AWS::Serverless::Function, Properties: {CodeUri: other/}}
      Far: {Type: AWS::Serverless::Function, Properties: {CodeUri: "s3://theirs/x.zip"}}
      Own: {Type: AWS::Serverless::Function, Properties: {CodeUri: {Bucket: b, Key: k}}}
      Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: code/}}
      Machine: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: machine.asl.json}}
      Queue: {Type: AWS::SQS::Queue}
    """
    written(tmp_path, {"code/a.py": "a", "other/a.py": "b", "machine.asl.json": "{}"})
    one = templates.Template("x", tmp_path / "x.yaml", templates.load(text))
    body = artefacts.located(one, "mine")
    code, other = (f"s3://mine/{artefacts.packed(tmp_path / name).key}" for name in ("code", "other"))
    assert body["Globals"]["Function"] == {"CodeUri": code, "Timeout": 3}
    got = {name: resource.get("Properties") for name, resource in body["Resources"].items()}
    assert got["Two"] == {"CodeUri": other} and got["Layer"] == {"ContentUri": code}
    assert got["Far"] == {"CodeUri": "s3://theirs/x.zip"} and got["Own"] == {"CodeUri": {"Bucket": "b", "Key": "k"}}
    assert got["Machine"]["DefinitionUri"].endswith(".json")
    assert got["One"] == {"Handler": "a.b"} and got["Queue"] is None
    # and the one that was read stays as it was
    assert one.body["Globals"]["Function"]["CodeUri"] == "code/"


def test_what_lambda_would_refuse_is_told_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: code/}}}"
    one = templates.Template("x", tmp_path / "x.yaml", templates.load(text))
    assert [*artefacts.problems(one, {})] == [f"x: {tmp_path}/code is not there; `make package` makes it"]
    written(tmp_path, {"code/_x.cpython-311-aarch64-linux-gnu.so": "1234"})
    fit = {"Runtime": "python3.11", "Architecture": "arm64"}
    assert [*artefacts.problems(one, fit)] == []
    assert len([*artefacts.problems(one, {**fit, "Runtime": "python3.13"})]) == 1
    assert len([*artefacts.problems(one, {**fit, "Architecture": "x86_64"})]) == 1
    monkeypatch.setattr(artefacts, "MOST_BYTES", 3)
    assert "has 4 bytes, and Lambda takes 3 at most" in next(artefacts.problems(one, fit))


# Values


def test_what_is_given_wins_over_an_output_and_that_over_the_default() -> None:
    first = template("storage", outputs="KeyArn: {Value: k}")
    later = template(
        "ask", parameters="EnvPrefix: {Type: String}, KeyArn: {Type: String}, Size: {Type: Number, Default: 1}"
    )
    found = values(first, later)
    found.known["storage"] = {"KeyArn": "theirs"}
    assert found.of(later) == {"EnvPrefix": "dev", "KeyArn": "theirs"}
    for given_so in ({"parameters": {"KeyArn": "mine"}}, {"stacks": {"ask": {"KeyArn": "mine"}}}):
        found.settings = Settings.model_validate(given_so)
        assert found.of(later)["KeyArn"] == "mine"


def test_an_output_that_two_stacks_give_has_to_be_named() -> None:
    one, other = (template(name, outputs="Topic: {Value: t}") for name in ("one", "other"))
    later = template("later", parameters="Topic: {Type: String}")
    with pytest.raises(Unfit, match=r"say which, \$\{one\.Topic\} or \$\{other\.Topic\}"):
        values(one, other, later).of(later)
    found = values(one, other, later, given=Settings(stacks={"later": {"Topic": "${other.Topic}"}}))
    found.known |= {"one": {"Topic": "1"}, "other": {"Topic": "2"}}
    assert found.of(later) == {"Topic": "2"}


def test_only_earlier_stacks_are_looked_at() -> None:
    one, later = template("one", parameters="Late: {Type: String}"), template("later", outputs="Late: {Value: v}")
    found = values(one, later)
    found.known["later"] = {"Late": "v"}
    assert found.of(one) == {}
    found.settings = Settings(stacks={"one": {"Late": "${later.Late}"}})
    with pytest.raises(Unfit, match="is nothing that is known"):
        found.of(one)


def test_an_output_of_an_older_version_is_waited_for() -> None:
    first, later = template("first", outputs="New: {Value: v}"), template("later", parameters="New: {Type: String}")
    found = values(first, later)
    found.known["first"] = {"Old": "v"}
    with pytest.raises(Waits):
        found.of(later)


def test_references_may_stand_in_each_other() -> None:
    one = template("one", parameters="A: {Type: String}")
    text = "${secret:${env}/app} in ${region} of ${account}"
    found = values(one, given=Settings(parameters={"A": text}), secrets=("dev/app",))
    assert found.of(one) == {"A": "arn:dev/app in eu-west-1 of 123456789012"}


@pytest.mark.parametrize(
    ("declared", "value", "reason"),
    [
        ({"Type": "Number", "MinValue": 1, "MaxValue": 9}, "10", "is not from 1 to 9"),
        ({"Type": "Number"}, "many", "is no number"),
        ({"Type": "Number", "AllowedValues": [7, 14]}, "8", "is none of 7, 14"),
        ({"Type": "String", "AllowedValues": ["IAM", "COGNITO"]}, "iam", "is none of"),
        # the whole value, as CloudFormation matches it
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "abc1", "does not look like"),
        ({"Type": "Number", "MinValue": 1, "MaxValue": 9}, "9", None),
        ({"Type": "Number", "AllowedValues": [7, 14]}, "7", None),
        ({"Type": "String", "AllowedPattern": "|[a-z]+/"}, "", None),
        ({"Type": "CommaDelimitedList"}, "a,b", None),
    ],
)
def test_what_cloudformation_would_refuse_is_known_before(
    declared: dict[str, object], value: str, reason: str | None
) -> None:
    said = refused(declared, value)
    assert said is None if reason is None else said is not None and reason in said


# An environment's file


def test_values_are_texts_as_cloudformation_takes_them(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text(
        "parameters: {Days: 30, Enabled: true, Names: [a, b], Part: 0.5}\nstacks: {x: {Y: 1}}"
    )
    found = settings.read("dev", tmp_path)
    assert found.parameters == {"Days": "30", "Enabled": "true", "Names": "a,b", "Part": "0.5"}
    assert found.stacks == {"x": {"Y": "1"}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("acount: '123456789012'", "acount: Extra inputs"),
        ("account: 12", "account: Input should be a valid string"),
        ("account: '12'", "account: String should match"),
        ("parameters: {A: {B: 1}}", "parameters.A: Input should be a valid string"),
        ("parameters: [", "is no YAML"),
    ],
)
def test_what_nobody_reads_is_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "dev.yaml").write_text(text)
    with pytest.raises(UsageError) as wrong:
        settings.read("dev", tmp_path)
    assert said in str(wrong.value)


def test_an_environment_without_a_file_is_told_with_those_that_have_one() -> None:
    with pytest.raises(UsageError, match=r"No environment 'tset'.*dev, local, nonprod, prod"):
        settings.read("tset")


@given(st.dictionaries(st.sampled_from(["A", "B", "one.A", "two.A", "two.B"]), st.text(max_size=3)))
def test_what_the_command_line_says_of_a_stack_wins_over_what_it_says_of_all(given_so: dict[str, str]) -> None:
    shared_first = dict(sorted(given_so.items(), key=lambda pair: "." in pair[0]))
    found = Settings(parameters={"A": "file"}, stacks={"one": {"A": "file's one"}}).with_parameters(shared_first)
    for stack in ("one", "two"):
        for name in ("A", "B"):
            told_so = {**found.parameters, **found.stacks.get(stack, {})}.get(name)
            before = {"A": "file's one" if stack == "one" else "file"}.get(name)
            assert told_so == given_so.get(f"{stack}.{name}", given_so.get(name, before))


def test_the_deployment_is_no_part_of_the_functions_package() -> None:
    planned = subprocess.run(
        ["make", "--dry-run", "-C", str(ROOT), "lambdas"], capture_output=True, text=True, check=True
    ).stdout
    (copied,) = [line.split() for line in planned.splitlines() if line.startswith("cp ")]
    assert {"lambdas/common", "lambdas/token_broker"} <= set(copied)
    assert not {"lambdas/deploy", "lambdas/local_stack"} & set(copied)
