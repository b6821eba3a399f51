"""Creates the rendered functions, aliases, stream mappings and permissions on the emulator."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

from rendered import Resource
from target import Target

ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]


def lambda_function(target: Target, resource: Resource) -> None:
    """A function from its real zip; only the architecture and the endpoint differ from AWS."""
    values = resource.values
    name = values["function_name"]
    environment = dict(resource.block("environment").get("variables") or {})
    environment["AWS_ENDPOINT_URL"] = target.endpoint
    environment.update(target.outputs.get("extra_environment", {}).get(name, {}))
    request: dict[str, Any] = {
        "FunctionName": name,
        "Role": values["role"],
        "Runtime": values["runtime"],
        "Handler": values.get("handler") or "bootstrap",
        "Code": {"ZipFile": Path(values["filename"]).read_bytes()},
        "Timeout": values.get("timeout") or 3,
        "MemorySize": values.get("memory_size") or 128,
        # The binaries of this machine are deployed, whatever the architecture of the real stack.
        "Architectures": [ARCHITECTURE],
        "Environment": {"Variables": environment},
        "Publish": bool(values.get("publish")),
    }
    dead_letter = resource.block("dead_letter_config").get("target_arn")
    if dead_letter:
        request["DeadLetterConfig"] = {"TargetArn": dead_letter}
    function = target.client("lambda").create_function(**request)
    reserved = values.get("reserved_concurrent_executions")
    if reserved is not None and int(reserved) >= 0:
        target.client("lambda").put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=int(reserved)
        )
    arn = _unqualified(function["FunctionArn"], name)
    target.learn(
        resource,
        arn=arn,
        qualified_arn=f"{arn}:{function['Version']}",
        invoke_arn=_invoke_arn(target, arn),
        qualified_invoke_arn=_invoke_arn(target, f"{arn}:{function['Version']}"),
    )
    target.note_in("functions", name, arn)


def lambda_alias(target: Target, resource: Resource) -> None:
    """An alias of a function's published version."""
    values = resource.values
    version = str(values.get("function_version") or "")
    if not version or not (version.isdigit() or version == "$LATEST"):
        versions = target.client("lambda").list_versions_by_function(FunctionName=values["function_name"])
        version = versions["Versions"][-1]["Version"]
    alias = target.client("lambda").create_alias(
        FunctionName=values["function_name"], Name=values["name"], FunctionVersion=version
    )
    target.learn(resource, arn=alias["AliasArn"], invoke_arn=_invoke_arn(target, alias["AliasArn"]))


def lambda_event_source_mapping(target: Target, resource: Resource) -> None:
    """A stream or queue mapping with its filter, retries, bisection and on-failure destination."""
    values = resource.values
    request: dict[str, Any] = {
        "EventSourceArn": values["event_source_arn"],
        "FunctionName": values["function_name"],
        "Enabled": values.get("enabled") is not False,
    }
    for key, name in {
        "starting_position": "StartingPosition",
        "batch_size": "BatchSize",
        "maximum_batching_window_in_seconds": "MaximumBatchingWindowInSeconds",
        "maximum_retry_attempts": "MaximumRetryAttempts",
        "maximum_record_age_in_seconds": "MaximumRecordAgeInSeconds",
        "bisect_batch_on_function_error": "BisectBatchOnFunctionError",
        "parallelization_factor": "ParallelizationFactor",
        "function_response_types": "FunctionResponseTypes",
    }.items():
        # What was not said is rendered as zero or nothing, which is the default of each of them.
        if values.get(key):
            request[name] = values[key]
    filters = resource.block("filter_criteria").get("filter") or []
    if filters:
        request["FilterCriteria"] = {"Filters": [{"Pattern": item["pattern"]} for item in filters]}
    destination = (resource.block("destination_config").get("on_failure") or [{}])[0].get("destination_arn")
    if destination:
        request["DestinationConfig"] = {"OnFailure": {"Destination": destination}}
    scaling = resource.block("scaling_config").get("maximum_concurrency")
    if scaling:
        request["ScalingConfig"] = {"MaximumConcurrency": scaling}
    mapping = target.client("lambda").create_event_source_mapping(**request)
    # The request is kept: the poison check replays it with AWS's rules for a failing batch.
    target.note_in("mappings", mapping["UUID"], request)


def lambda_permission(target: Target, resource: Resource) -> None:
    """Who may invoke a function."""
    values = resource.values
    request = {
        "FunctionName": values["function_name"],
        "StatementId": values.get("statement_id") or resource.address.replace(".", "-").replace('"', "")[:90],
        "Action": values["action"],
        "Principal": values["principal"],
    }
    for key, name in {"source_arn": "SourceArn", "qualifier": "Qualifier", "source_account": "SourceAccount"}.items():
        if values.get(key):
            request[name] = values[key]
    target.client("lambda").add_permission(**request)


def lambda_function_event_invoke_config(target: Target, resource: Resource) -> None:
    """Retries and on-failure destination of asynchronous invocations."""
    values = resource.values
    request: dict[str, Any] = {"FunctionName": values["function_name"]}
    for key, name in {
        "qualifier": "Qualifier",
        "maximum_retry_attempts": "MaximumRetryAttempts",
        "maximum_event_age_in_seconds": "MaximumEventAgeInSeconds",
    }.items():
        if values.get(key) is not None:
            request[name] = values[key]
    destination = (resource.block("destination_config").get("on_failure") or [{}])[0].get("destination")
    if destination:
        request["DestinationConfig"] = {"OnFailure": {"Destination": destination}}
    target.client("lambda").put_function_event_invoke_config(**request)


def _invoke_arn(target: Target, arn: str) -> str:
    return f"arn:aws:apigateway:{target.region}:lambda:path/2015-03-31/functions/{arn}/invocations"


def _unqualified(arn: str, name: str) -> str:
    return arn[: arn.index(f":function:{name}") + len(f":function:{name}")]
