"""Deploys the rendered Terraform stack to an emulator of AWS, resource by resource.

    deploy.py --rendered rendered.json --endpoint http://127.0.0.1:4566 --out stack.json
              [--secret secret.json] [--function-env KEY:NAME=VALUE ...]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Callable

import deploy_data as data
import deploy_flow as flow
import deploy_functions as functions
import rendered
from target import Target

Maker = Callable[[Target, rendered.Resource], None]

# In dependency order: everything above may be referred to by everything below.
MAKERS: dict[str, Maker] = {
    "aws_cloudwatch_log_group": data.log_group,
    "aws_sqs_queue": data.sqs_queue,
    "aws_sns_topic": data.sns_topic,
    "aws_dynamodb_table": data.dynamodb_table,
    "aws_secretsmanager_secret": data.secretsmanager_secret,
    "aws_cloudwatch_event_bus": flow.event_bus,
    "aws_iam_role": data.iam_role,
    "aws_iam_policy": data.iam_policy,
    "aws_iam_role_policy": data.iam_role_policy,
    "aws_iam_role_policy_attachment": data.iam_role_policy_attachment,
    "aws_lambda_function": functions.lambda_function,
    "aws_lambda_alias": functions.lambda_alias,
    "aws_lambda_function_event_invoke_config": functions.lambda_function_event_invoke_config,
    "aws_lambda_event_source_mapping": functions.lambda_event_source_mapping,
    "aws_sfn_state_machine": flow.state_machine,
    "aws_cloudwatch_event_archive": flow.event_archive,
    "aws_cloudwatch_event_rule": flow.event_rule,
    "aws_cloudwatch_event_target": flow.event_target,
    "aws_apigatewayv2_api": flow.http_api,
    "aws_apigatewayv2_integration": flow.http_integration,
    "aws_apigatewayv2_authorizer": flow.http_authorizer,
    "aws_apigatewayv2_route": flow.http_route,
    "aws_apigatewayv2_stage": flow.http_stage,
    "aws_lambda_permission": functions.lambda_permission,
    "aws_sqs_queue_policy": data.sqs_queue_policy,
    "aws_sns_topic_policy": data.sns_topic_policy,
    "aws_sns_topic_subscription": data.sns_topic_subscription,
}

NOT_EMULATED: dict[str, str] = {
    "aws_cloudwatch_metric_alarm": "alarms watch the stack and take no part in an alert's way",
    "aws_cloudwatch_composite_alarm": "alarms watch the stack and take no part in an alert's way",
    "aws_cloudwatch_dashboard": "it is looked at, not run",
    "aws_cloudwatch_log_metric_filter": "metrics of the log are not part of an alert's way",
    "aws_cloudwatch_log_resource_policy": "the emulator's bus does not deliver to log groups",
    "aws_kms_key": "the emulator does not encrypt at rest",
    "aws_kms_alias": "the emulator does not encrypt at rest",
    "aws_secretsmanager_secret_policy": "access to the secret is checked on the rendered policies",
    "terraform_data": "it makes nothing on AWS",
}


def deploy(resources: list[rendered.Resource], target: Target) -> dict[str, Any]:
    """Makes every resource; returns the outputs that the checks need."""
    unknown = sorted({item.type for item in resources} - MAKERS.keys() - NOT_EMULATED.keys())
    if unknown:
        raise SystemExit(
            f"deploy: no rule for {', '.join(unknown)}: add a maker, or a line to NOT_EMULATED that says why not"
        )
    # A queue may name the queue of its dead letters, which has no such policy itself.
    resources = sorted(resources, key=lambda item: bool(item.document("redrive_policy")))
    for kind, maker in MAKERS.items():
        for resource in resources:
            if resource.type == kind:
                try:
                    maker(target, target.rewriter.resource(resource))
                except Exception as error:
                    raise SystemExit(f"deploy: {resource.address}: {type(error).__name__}: {error}") from error
    return target.outputs


def put_secret(target: Target, value: str) -> None:
    """Fills the one secret of the stack, as an operator does after `terraform apply`."""
    secrets: dict[str, str] = target.outputs.get("secrets", {})
    if len(secrets) != 1:
        raise SystemExit(f"deploy: expected one secret, found {sorted(secrets)}")
    target.client("secretsmanager").put_secret_value(SecretId=next(iter(secrets.values())), SecretString=value)


def extra_environment(resources: list[rendered.Resource], settings: list[str]) -> dict[str, dict[str, str]]:
    """`KEY:NAME=VALUE` settings by full function name; KEY is the last part of the name."""
    names = [item.values["function_name"] for item in resources if item.type == "aws_lambda_function"]
    found: dict[str, dict[str, str]] = {}
    for setting in settings:
        key, _, assignment = setting.partition(":")
        variable, _, value = assignment.partition("=")
        matches = [name for name in names if name.endswith(f"-{key}")]
        if len(matches) != 1:
            raise SystemExit(f"deploy: {key} is not one of {', '.join(names)}")
        found.setdefault(matches[0], {})[variable] = value
    return found


def main() -> int:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rendered", type=Path, required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--secret", type=Path, help="JSON put into the stack's secret")
    parser.add_argument("--function-env", action="append", default=[], metavar="KEY:NAME=VALUE")
    arguments = parser.parse_args()

    resources = rendered.load(arguments.rendered)
    account, region = rendered.account_and_region(resources)
    target = Target(arguments.endpoint, region)
    target.rewriter.learn_account(account, target.account)
    started = time.monotonic()
    target.note("extra_environment", extra_environment(resources, arguments.function_env))
    outputs = deploy(resources, target)
    if arguments.secret:
        put_secret(target, arguments.secret.read_text())
    arguments.out.write_text(json.dumps(outputs, indent=2, sort_keys=True) + "\n")

    report(resources, target, time.monotonic() - started)
    return 0


def report(resources: list[rendered.Resource], target: Target, seconds: float) -> None:
    """Says what was made and what was not, and why not."""
    counts = Counter(item.type for item in resources)
    made = sum(number for kind, number in counts.items() if kind in MAKERS)
    print(f"deployed {made} of {len(resources)} rendered resources in {seconds:.1f} s ({target.account}, {target.region})")
    for kind in sorted(counts.keys() & NOT_EMULATED.keys()):
        print(f"  not emulated: {counts[kind]:2d} {kind}: {NOT_EMULATED[kind]}")
    ignored = target.outputs.get("ignored_conditions", {})
    if ignored:
        print(f"  policy conditions that the emulator cannot evaluate: {', '.join(sorted(ignored))}")


if __name__ == "__main__":
    sys.exit(main())
