"""The roles of the functions, used directly: what they do not grant is refused by the emulator's policy evaluation."""

from __future__ import annotations

import json
from typing import Any, Callable

import boto3
from botocore.exceptions import ClientError

from runner import Runner, expect
from world import World

REFUSED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "AuthorizationErrorException"}

Call = Callable[[Callable[[str], Any], World, str], Any]

# The function, what it must not be able to do, and the call that tries.
TEMPTATIONS: list[tuple[str, str, Call]] = [
    ("alert_ingest", "put events on the bus", lambda client, world, _: _put_event(client, world)),
    ("alert_ingest", "reboot an instance", lambda client, _, instance: _reboot(client, instance)),
    ("event_relay", "write to the table", lambda client, world, _: _write(client, world)),
    ("event_relay", "read the secret", lambda client, world, _: _read_secret(client, world)),
    ("runbook_action", "reboot an instance", lambda client, _, instance: _reboot(client, instance)),
    ("runbook_action", "read the secret", lambda client, world, _: _read_secret(client, world)),
    ("runbook_action_ec2", "terminate an instance", lambda client, _, instance: _terminate(client, instance)),
    ("runbook_action_ec2", "start an execution", lambda client, world, _: _start(client, world)),
    ("runbook_action_http", "reboot an instance", lambda client, _, instance: _reboot(client, instance)),
    ("notifier", "reboot an instance", lambda client, _, instance: _reboot(client, instance)),
]


def run(runner: Runner, world: World) -> None:
    """One check for each temptation, and one that the proof itself works."""
    instance = world.new_instance("roles")
    runner.check("the role of runbook_action_ec2 can reboot an instance", _allowed, world, instance)
    for function, deed, call in TEMPTATIONS:
        runner.check(f"the role of {function} cannot {deed}", _refused, world, function, call, instance)


def _clients_of(world: World, function: str) -> Callable[[str], Any]:
    """Clients with a session of a function's own role."""
    lambdas = world.target.client("lambda")
    name = next(name for name in world.outputs["functions"] if name.endswith(f"-{function}"))
    role = lambdas.get_function_configuration(FunctionName=name)["Role"]
    # The trust policy names only Lambda; for the session it is widened to the caller of these checks.
    iam, role_name = world.target.client("iam"), role.rsplit("/", 1)[-1]
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{world.target.account}:root"}}
    iam.update_assume_role_policy(
        RoleName=role_name, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    granted = world.target.client("sts").assume_role(RoleArn=role, RoleSessionName="checks")["Credentials"]
    session = boto3.Session(
        aws_access_key_id=granted["AccessKeyId"],
        aws_secret_access_key=granted["SecretAccessKey"],
        aws_session_token=granted["SessionToken"],
        region_name=world.target.region,
    )
    return lambda service: session.client(service, endpoint_url=world.target.endpoint)


def _allowed(world: World, instance: str) -> None:
    _reboot(_clients_of(world, "runbook_action_ec2"), instance)


def _refused(world: World, function: str, call: Call, instance: str) -> None:
    try:
        call(_clients_of(world, function), world, instance)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        expect(code in REFUSED, f"failed for another reason: {error}")
        return
    raise AssertionError("it was allowed (is the emulator started with AUTH=true?)")


def _reboot(client: Callable[[str], Any], instance: str) -> None:
    client("ec2").reboot_instances(InstanceIds=[instance])


def _terminate(client: Callable[[str], Any], instance: str) -> None:
    client("ec2").terminate_instances(InstanceIds=[instance])


def _put_event(client: Callable[[str], Any], world: World) -> None:
    entry = {"Source": "firebreak", "DetailType": "x", "Detail": "{}", "EventBusName": world.outputs["bus"]}
    client("events").put_events(Entries=[entry])


def _write(client: Callable[[str], Any], world: World) -> None:
    client("dynamodb").put_item(TableName=world.table, Item={"pk": {"S": "COUNT#checks"}, "sk": {"S": "0"}})


def _read_secret(client: Callable[[str], Any], world: World) -> None:
    client("secretsmanager").get_secret_value(SecretId=next(iter(world.outputs["secrets"].values())))


def _start(client: Callable[[str], Any], world: World) -> None:
    client("stepfunctions").start_execution(stateMachineArn=world.outputs["state_machine"])
