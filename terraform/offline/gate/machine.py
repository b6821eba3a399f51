"""The state machine as a document: transitions, ends and guards; and what cfn-lint says of it and the policies."""

from __future__ import annotations

import json
from collections.abc import Iterator

from cfnlint.api import lint_all

from .finding import Check, Finding
from .state import State, policies

_TERMINAL = ("Succeed", "Fail")
_RULE_FIELDS = {
    "Retry": {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy"},
    "Catch": {"ErrorEquals", "Next", "Assign", "Output"},
    "Choices": {"Condition", "Next", "Assign", "Output"},
}
_TEMPLATE_VERSION = "2010-09-09"


def targets_exist(state: State) -> Iterator[Finding]:
    """Every transition leads to a state that is there."""
    for address, machine in _machines(state):
        states = machine["States"]
        for origin, target in _transitions(machine):
            if target not in states:
                yield Finding(address, f"{origin} leads to {target}, which is not there")


def states_reachable(state: State) -> Iterator[Finding]:
    """Every state can be reached from the start."""
    for address, machine in _machines(state):
        edges = list(_transitions(machine))
        seen = {"StartAt"}
        while grown := {target for origin, target in edges if origin in seen} - seen:
            seen |= grown
        for name in machine["States"]:
            if name not in seen:
                yield Finding(address, f"{name} cannot be reached")


def states_end(state: State) -> Iterator[Finding]:
    """Every state goes on or ends, and some end can be reached from it."""
    for address, machine in _machines(state):
        edges = list(_transitions(machine))
        ending = {name for name, body in machine["States"].items() if body["Type"] in _TERMINAL or body.get("End")}
        for name, body in machine["States"].items():
            if name not in ending and body["Type"] != "Choice" and "Next" not in body:
                yield Finding(address, f"{name} has neither Next nor End")
        reaching = set(ending)
        while grown := {origin for origin, target in edges if target in reaching} - reaching:
            reaching |= grown
        for name in machine["States"]:
            if name not in reaching:
                yield Finding(address, f"no end can be reached from {name}")


def tasks_guarded(state: State) -> Iterator[Finding]:
    """Every task has a timeout and retries with jitter; the machine has a timeout; choices have a default."""
    for address, machine in _machines(state):
        if "TimeoutSeconds" not in machine:
            yield Finding(address, "the machine has no TimeoutSeconds")
        for name, body in machine["States"].items():
            if body["Type"] == "Choice" and "Default" not in body:
                yield Finding(address, f"{name} has no Default")
            if body["Type"] != "Task":
                continue
            if "TimeoutSeconds" not in body:
                yield Finding(address, f"{name} has no TimeoutSeconds")
            retries = body.get("Retry", [])
            if not retries or any(retry.get("JitterStrategy") != "FULL" for retry in retries):
                yield Finding(address, f"{name} must retry with full jitter")


def rules_spelt_right(state: State) -> Iterator[Finding]:
    """Retry, catch and choice rules have known fields only; cfn-lint does not look at these."""
    for address, machine in _machines(state):
        for name, body in machine["States"].items():
            for kind, known in _RULE_FIELDS.items():
                for rule in body.get(kind, []):
                    for field in sorted(set(rule) - known - {"Comment"}):
                        yield Finding(address, f"{name} has {field} in {kind}, which means nothing there")


def fits_schemas(state: State) -> Iterator[Finding]:
    """cfn-lint accepts the machine, the policies and the event patterns."""
    resources: dict[str, dict] = {}
    subjects: dict[str, str] = {}
    for address, body in _as_cloudformation(state):
        key = f"R{len(resources)}"
        resources[key] = body
        subjects[key] = address
    template = json.dumps({"AWSTemplateFormatVersion": _TEMPLATE_VERSION, "Resources": resources})
    for match in lint_all(template):
        if match.rule.severity == "informational":
            continue
        path = list(match.path)
        subject = subjects.get(path[1], "template") if len(path) > 1 else "template"
        yield Finding(subject, f"{match.rule.id} {match.message}")


def _machines(state: State) -> Iterator[tuple[str, dict]]:
    for resource in state.of("aws_sfn_state_machine"):
        yield resource.address, json.loads(resource["definition"])


def _transitions(machine: dict) -> Iterator[tuple[str, str]]:
    yield "StartAt", machine["StartAt"]
    for name, body in machine["States"].items():
        for branch in [body, *body.get("Choices", []), *body.get("Catch", [])]:
            for key in ("Next", "Default"):
                if key in branch:
                    yield name, branch[key]


def _as_cloudformation(state: State) -> Iterator[tuple[str, dict]]:
    for resource in state.of("aws_sfn_state_machine"):
        properties = {"RoleArn": resource["role_arn"], "Definition": json.loads(resource["definition"])}
        yield resource.address, {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    for resource in state.of("aws_cloudwatch_event_rule"):
        if resource["schedule_expression"]:
            properties = {"ScheduleExpression": resource["schedule_expression"]}
        else:
            properties = {"EventPattern": json.loads(resource["event_pattern"])}
        yield resource.address, {"Type": "AWS::Events::Rule", "Properties": properties}
    for resource, attribute, policy in policies(state):
        if resource.type == "aws_iam_role_policy":
            document = {"Version": "2012-10-17", "Statement": policy.statements}
            properties = {"PolicyName": "p", "PolicyDocument": document, "Roles": ["r"]}
            yield resource.address, {"Type": "AWS::IAM::Policy", "Properties": properties}
        elif attribute == "assume_role_policy":
            document = {"Version": "2012-10-17", "Statement": policy.statements}
            yield resource.address, {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}


CHECKS: dict[str, Check] = {
    "machine: transitions have targets": targets_exist,
    "machine: states can be reached": states_reachable,
    "machine: states come to an end": states_end,
    "machine: tasks are guarded": tasks_guarded,
    "machine: rules are spelt right": rules_spelt_right,
    "machine: cfn-lint accepts the documents": fits_schemas,
}
