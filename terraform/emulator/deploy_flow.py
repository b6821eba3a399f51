"""Creates the rendered bus, rules, targets, state machine and HTTP API on the emulator."""

from __future__ import annotations

from typing import Any

from rendered import Resource
from target import Target


def event_bus(target: Target, resource: Resource) -> None:
    """A custom bus."""
    arn = target.client("events").create_event_bus(Name=resource.values["name"])["EventBusArn"]
    target.learn(resource, arn=arn)
    target.note("bus", resource.values["name"])


def event_archive(target: Target, resource: Resource) -> None:
    """The archive of a bus."""
    values = resource.values
    target.client("events").create_archive(
        ArchiveName=values["name"],
        EventSourceArn=values["event_source_arn"],
        RetentionDays=values.get("retention_days") or 0,
    )


def event_rule(target: Target, resource: Resource) -> None:
    """A rule with its pattern or schedule."""
    values = resource.values
    request = {"Name": values["name"], "EventBusName": values.get("event_bus_name") or "default"}
    if values.get("event_pattern"):
        request["EventPattern"] = values["event_pattern"]
    if values.get("schedule_expression"):
        request["ScheduleExpression"] = values["schedule_expression"]
    request["State"] = values.get("state") or "ENABLED"
    arn = target.client("events").put_rule(**request)["RuleArn"]
    target.learn(resource, arn=arn)
    target.note_in("rules", values["name"], request["EventBusName"])


def event_target(target: Target, resource: Resource) -> None:
    """A target of a rule, with its input selection, retry policy and dead-letter queue."""
    values = resource.values
    item: dict[str, Any] = {"Id": values.get("target_id") or "target", "Arn": values["arn"]}
    for key, name in {"role_arn": "RoleArn", "input": "Input", "input_path": "InputPath"}.items():
        if values.get(key):
            item[name] = values[key]
    transformer = resource.block("input_transformer")
    if transformer.get("input_template"):
        item["InputTransformer"] = {
            "InputPathsMap": transformer.get("input_paths") or {},
            "InputTemplate": transformer["input_template"],
        }
    retry = resource.block("retry_policy")
    if retry:
        item["RetryPolicy"] = {
            "MaximumEventAgeInSeconds": retry.get("maximum_event_age_in_seconds") or 86400,
            "MaximumRetryAttempts": retry.get("maximum_retry_attempts") or 0,
        }
    dead_letter = resource.block("dead_letter_config").get("arn")
    if dead_letter:
        item["DeadLetterConfig"] = {"Arn": dead_letter}
    reply = target.client("events").put_targets(
        Rule=values["rule"], EventBusName=values.get("event_bus_name") or "default", Targets=[item]
    )
    if reply["FailedEntryCount"]:
        raise RuntimeError(f"{resource.address}: {reply['FailedEntries']}")


def state_machine(target: Target, resource: Resource) -> None:
    """The state machine with its definition as rendered."""
    values = resource.values
    arn = target.client("stepfunctions").create_state_machine(
        name=values["name"],
        definition=values["definition"],
        roleArn=values["role_arn"],
        type=values.get("type") or "STANDARD",
    )["stateMachineArn"]
    target.learn(resource, arn=arn)
    target.note("state_machine", arn)


def http_api(target: Target, resource: Resource) -> None:
    """The HTTP API."""
    values = resource.values
    api = target.client("apigatewayv2").create_api(Name=values["name"], ProtocolType=values["protocol_type"])
    target.learn(
        resource,
        id=api["ApiId"],
        arn=f"arn:aws:apigateway:{target.region}::/apis/{api['ApiId']}",
        execution_arn=f"arn:aws:execute-api:{target.region}:{target.account}:{api['ApiId']}",
    )
    target.note("api_id", api["ApiId"])


def http_integration(target: Target, resource: Resource) -> None:
    """A proxy integration of the API."""
    values = resource.values
    request = {
        "ApiId": values["api_id"],
        "IntegrationType": values["integration_type"],
        "IntegrationUri": values["integration_uri"],
        "PayloadFormatVersion": values.get("payload_format_version") or "1.0",
    }
    if values.get("integration_method"):
        request["IntegrationMethod"] = values["integration_method"]
    if values.get("timeout_milliseconds"):
        request["TimeoutInMillis"] = int(values["timeout_milliseconds"])
    integration = target.client("apigatewayv2").create_integration(**request)
    target.learn(resource, id=integration["IntegrationId"])


def http_authorizer(target: Target, resource: Resource) -> None:
    """What checks the tokens of a route."""
    values = resource.values
    settings = resource.block("jwt_configuration")
    authorizer = target.client("apigatewayv2").create_authorizer(
        ApiId=values["api_id"],
        Name=values["name"],
        AuthorizerType=values["authorizer_type"],
        IdentitySource=list(values["identity_sources"]),
        JwtConfiguration={"Issuer": settings["issuer"], "Audience": list(settings["audience"])},
    )
    target.learn(resource, id=authorizer["AuthorizerId"])


def http_route(target: Target, resource: Resource) -> None:
    """A route of the API, open or for callers that the API identifies."""
    values = resource.values
    request: dict[str, Any] = {
        "ApiId": values["api_id"],
        "RouteKey": values["route_key"],
        "Target": values["target"],
        "AuthorizationType": values.get("authorization_type") or "NONE",
    }
    if values.get("authorizer_id"):
        request["AuthorizerId"] = values["authorizer_id"]
    if values.get("authorization_scopes"):
        request["AuthorizationScopes"] = list(values["authorization_scopes"])
    target.client("apigatewayv2").create_route(**request)


def http_stage(target: Target, resource: Resource) -> None:
    """The stage of the API."""
    values = resource.values
    target.client("apigatewayv2").create_stage(
        ApiId=values["api_id"], StageName=values["name"], AutoDeploy=bool(values.get("auto_deploy"))
    )
