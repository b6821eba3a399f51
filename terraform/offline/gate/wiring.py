"""Whether the parts may call each other, and whether nothing can get lost between them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .finding import Check, Finding
from .state import Policy, Resource, State

_EVENTS = "events.amazonaws.com"
_TASK_ACTIONS = {"arn:aws:states:::lambda:invoke": "lambda:InvokeFunction"}
_AN_HOUR = 3600


def machine_may_invoke(state: State) -> Iterator[Finding]:
    """The state machine's role allows each of its tasks, and invokes nothing else."""
    for machine in state.of("aws_sfn_state_machine"):
        definition = json.loads(machine["definition"])
        policy = state.role_policy(machine["role_arn"])
        called = {text for text in _strings(definition) if text.startswith("arn:aws:lambda:")}
        for name, body in definition["States"].items():
            if body["Type"] == "Task" and body["Resource"] not in _TASK_ACTIONS:
                yield Finding(machine.address, f"{name} uses {body['Resource']}, whose permission is not known here")
        for arn in sorted(called):
            if state.find("aws_lambda_alias", arn=arn) is None:
                yield Finding(machine.address, f"{arn} is no alias of this stack")
            if not policy.allows("lambda:InvokeFunction", arn):
                yield Finding(machine.address, f"its role may not invoke {arn}")
        for alias in state.of("aws_lambda_alias"):
            if alias["arn"] not in called and policy.allows("lambda:InvokeFunction", alias["arn"]):
                yield Finding(machine.address, f"its role may invoke {alias['arn']}, which it does not call")


def machine_may_log(state: State) -> Iterator[Finding]:
    """The state machine logs, its role may deliver the log, and Step Functions may assume the role."""
    for machine in state.of("aws_sfn_state_machine"):
        policy = state.role_policy(machine["role_arn"])
        if machine.block("logging_configuration").get("level") in (None, "OFF"):
            yield Finding(machine.address, "it does not log")
        if not policy.allows("logs:CreateLogDelivery", "*"):
            yield Finding(machine.address, "its role may not deliver the log")
        yield from _trusted(state, machine, machine["role_arn"], "states.amazonaws.com")


def rules_may_deliver(state: State) -> Iterator[Finding]:
    """Each rule may reach its target."""
    for target in state.of("aws_cloudwatch_event_target"):
        rule = _rule_of(state, target)
        if rule is None:
            yield Finding(target.address, f"there is no rule {target['rule']} on the bus {target['event_bus_name']}")
            continue
        kind = target["arn"].split(":")[2]
        if kind == "lambda" and not _permitted(state, target["arn"], _EVENTS, rule["arn"]):
            yield Finding(target.address, f"the rule may not invoke {target['arn']}")
        elif kind == "states":
            if not state.role_policy(target["role_arn"]).allows("states:StartExecution", target["arn"]):
                yield Finding(target.address, f"its role may not start {target['arn']}")
            yield from _trusted(state, target, target["role_arn"], _EVENTS)
        elif kind == "logs" and not _log_writable(state, target["arn"], rule["arn"]):
            yield Finding(target.address, f"the rule may not write to {target['arn']}")
        elif kind == "sqs" and not _queue_open(state, target["arn"], rule["arn"]):
            yield Finding(target.address, f"the rule may not send to {target['arn']}")
        elif kind not in ("lambda", "states", "logs", "sqs"):
            yield Finding(target.address, f"targets of the kind {kind} are not checked here")


def patterns_match_lists(state: State) -> Iterator[Finding]:
    """Event patterns and stream filters have a list at the end of each path, as matching needs."""
    rules = [rule for rule in state.of("aws_cloudwatch_event_rule") if rule["event_pattern"]]
    documents = [(rule.address, rule["event_pattern"]) for rule in rules]
    for mapping in state.of("aws_lambda_event_source_mapping"):
        filters = mapping.block("filter_criteria").get("filter") or []
        documents += [(mapping.address, item["pattern"]) for item in filters]
    for address, text in documents:
        for path in _bare_values(json.loads(text)):
            yield Finding(address, f"{path} must be a list of what matches")


def schedules_say_what_to_do(state: State) -> Iterator[Finding]:
    """A rule that follows the clock is on the default bus, the only one that has a clock, and says what is asked for."""
    for rule in state.of("aws_cloudwatch_event_rule"):
        if not rule["schedule_expression"]:
            if not rule["event_pattern"]:
                yield Finding(rule.address, "it has neither a pattern nor a schedule")
            continue
        if (rule["event_bus_name"] or "default") != "default":
            yield Finding(rule.address, "a schedule works on the default bus only")
        for target in state.of("aws_cloudwatch_event_target"):
            if _rule_of(state, target) is rule and not isinstance(_parsed(target["input"]), dict):
                yield Finding(target.address, "the clock has nothing to say: its `input` must be an object")


def _parsed(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except ValueError:
        return None


def rules_keep_failures(state: State) -> Iterator[Finding]:
    """Each rule has a target; each target retries for an hour or more and has a queue that its rule may fill."""
    for rule in state.of("aws_cloudwatch_event_rule"):
        if state.find("aws_cloudwatch_event_target", rule=rule["name"]) is None:
            yield Finding(rule.address, "it has no target")
    for target in state.of("aws_cloudwatch_event_target"):
        rule = _rule_of(state, target)
        arn = target.block("dead_letter_config").get("arn")
        queue = state.find("aws_sqs_queue", arn=arn)
        if arn is None or queue is None:
            yield Finding(target.address, "it has no dead-letter queue")
        elif rule is not None and not state.queue_policy(queue).allows("sqs:SendMessage", arn, _EVENTS, rule["arn"]):
            yield Finding(target.address, f"its rule may not send to {arn}")
        if (target.block("retry_policy").get("maximum_event_age_in_seconds") or 0) < _AN_HOUR:
            yield Finding(target.address, "its retries must last for an hour or more")


def queues_trust_their_rules(state: State) -> Iterator[Finding]:
    """A queue policy lets in exactly the rules that the queue is for."""
    for policy in state.of("aws_sqs_queue_policy"):
        queue = state.find("aws_sqs_queue", url=policy["queue_url"])
        if queue is None:
            yield Finding(policy.address, f"there is no queue {policy['queue_url']}")
            continue
        for rule in state.of("aws_cloudwatch_event_rule"):
            allowed = Policy.parse(policy["policy"]).allows("sqs:SendMessage", queue["arn"], _EVENTS, rule["arn"])
            if allowed and rule.values["name"] not in _rules_using(state, queue["arn"]):
                yield Finding(policy.address, f"it lets {rule['name']} in")


def functions_may_run(state: State) -> Iterator[Finding]:
    """Each function has an alias, its own log and a role that Lambda may assume and that writes that log."""
    for function in state.of("aws_lambda_function"):
        policy = state.role_policy(function["role"])
        group = state.find("aws_cloudwatch_log_group", name=function.block("logging_config").get("log_group"))
        if state.find("aws_lambda_alias", function_name=function["function_name"], name="live") is None:
            yield Finding(function.address, "it has no alias live")
        if group is None:
            yield Finding(function.address, "it has no log group")
        elif not policy.allows("logs:PutLogEvents", f"{group['arn']}:log-stream:any"):
            yield Finding(function.address, "its role may not write its log")
        yield from _trusted(state, function, function["role"], "lambda.amazonaws.com")


def functions_keep_failures(state: State) -> Iterator[Finding]:
    """A function that a rule invokes has a dead-letter queue, and its role may fill it."""
    asynchronous = {target["arn"].rpartition(":")[0] for target in state.of("aws_cloudwatch_event_target")}
    for function in state.of("aws_lambda_function"):
        arn = function.block("dead_letter_config").get("target_arn")
        if arn is None and function["arn"] in asynchronous:
            yield Finding(function.address, "a rule invokes it, and it has no dead-letter queue")
        if arn is not None and not state.role_policy(function["role"]).allows("sqs:SendMessage", arn):
            yield Finding(function.address, f"its role may not send to {arn}")


def functions_may_do_their_work(state: State) -> Iterator[Finding]:
    """A function may use what its environment names: table, bus, secret, queue and topic."""
    table_actions = ("BatchGetItem", "GetItem", "Query", "PutItem", "UpdateItem", "ConditionCheckItem")
    for function in state.of("aws_lambda_function"):
        policy = state.role_policy(function["role"])
        environment = function.block("environment").get("variables") or {}
        wanted: list[tuple[str, Resource | None]] = []
        if "TABLE_NAME" in environment:
            table = state.find("aws_dynamodb_table", name=environment["TABLE_NAME"])
            wanted += [(f"dynamodb:{action}", table) for action in table_actions]
        if "EVENT_BUS_NAME" in environment:
            wanted.append(
                ("events:PutEvents", state.find("aws_cloudwatch_event_bus", name=environment["EVENT_BUS_NAME"]))
            )
        if "SECRET_ID" in environment:
            secret = state.find("aws_secretsmanager_secret", name=environment["SECRET_ID"])
            wanted.append(("secretsmanager:GetSecretValue", secret))
            wanted.append(("kms:Decrypt", state.find("aws_kms_key", arn=secret["kms_key_id"] if secret else None)))
        if "SPILL_QUEUE_URL" in environment:
            wanted.append(("sqs:SendMessage", state.find("aws_sqs_queue", url=environment["SPILL_QUEUE_URL"])))
        if "TICK_QUEUE_URL" in environment:
            wanted.append(("sqs:SendMessage", state.find("aws_sqs_queue", url=environment["TICK_QUEUE_URL"])))
        for channel in json.loads(environment.get("CHANNELS", "{}")).values():
            if channel["kind"] == "sns":
                topic = state.find("aws_sns_topic", arn=channel["topic_arn"])
                wanted.append(("sns:Publish", topic))
                wanted.append(
                    (
                        "kms:GenerateDataKey",
                        state.find("aws_kms_key", arn=topic["kms_master_key_id"] if topic else None),
                    )
                )
        for action, resource in wanted:
            if resource is None:
                yield Finding(function.address, f"what it needs {action} for is not in this stack")
            elif not policy.allows(action, resource["arn"]):
                yield Finding(function.address, f"its role may not {action} on {resource['arn']}")


def routes_reach_functions(state: State) -> Iterator[Finding]:
    """Each route of the API leads to an alias that it may invoke; one that asks for a token knows whom to ask."""
    for route in state.of("aws_apigatewayv2_route"):
        api = state.find("aws_apigatewayv2_api", id=route["api_id"])
        integration = state.find("aws_apigatewayv2_integration", id=route["target"].rpartition("/")[2])
        if api is None or integration is None:
            yield Finding(route.address, "it leads nowhere")
            continue
        alias = state.find("aws_lambda_alias", invoke_arn=integration["integration_uri"])
        source = f"{api['execution_arn']}/*/*{route['route_key'].split()[1]}"
        if alias is None or not _permitted(state, alias["arn"], "apigateway.amazonaws.com", source):
            yield Finding(route.address, "the API may not invoke what the route leads to")
        authorizer = state.find("aws_apigatewayv2_authorizer", id=route["authorizer_id"], api_id=route["api_id"])
        if (route["authorization_type"] == "JWT") != (authorizer is not None):
            yield Finding(route.address, "a route has an authorizer exactly when it asks for a token")


def logs_expire(state: State) -> Iterator[Finding]:
    """Each log group has a retention."""
    for group in state.of("aws_cloudwatch_log_group"):
        if not group["retention_in_days"]:
            yield Finding(group.address, "its log is kept for ever")


def failures_raise_alarms(state: State) -> Iterator[Finding]:
    """Dead letters, spilled deliveries, errors, lag, failed runs and what is counted in a log each have an alarm that reaches a topic."""
    alarms = state.of("aws_cloudwatch_metric_alarm")
    watched = {(alarm["metric_name"], value) for alarm in alarms for value in (alarm["dimensions"] or {}).values()}
    drained = {mapping["event_source_arn"] for mapping in state.of("aws_lambda_event_source_mapping")}
    wanted = [("Errors", function["function_name"]) for function in state.of("aws_lambda_function")]
    for queue in state.of("aws_sqs_queue"):
        wanted.append(("ApproximateAgeOfOldestMessage", queue["name"]))
        if queue["arn"] not in drained:
            wanted.append(("ApproximateNumberOfMessagesVisible", queue["name"]))
    for function in state.of("aws_lambda_function"):
        spill = state.find("aws_sqs_queue", url=(function.block("environment").get("variables") or {}).get("SPILL_QUEUE_URL"))
        if spill is not None:
            wanted.append(("ApproximateNumberOfMessagesVisible", spill["name"]))
    for mapping in state.of("aws_lambda_event_source_mapping"):
        if mapping["event_source_arn"].split(":")[2] == "dynamodb":
            wanted.append(("IteratorAge", mapping["function_name"].split(":")[6]))
    for machine in state.of("aws_sfn_state_machine"):
        wanted += [
            (metric, machine["arn"]) for metric in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
        ]
    for metric, value in wanted:
        if (metric, value) not in watched:
            yield Finding(value, f"no alarm watches {metric}")
    for counted in state.of("aws_cloudwatch_log_metric_filter"):
        metric = counted.block("metric_transformation")
        if not any((alarm["namespace"], alarm["metric_name"]) == (metric["namespace"], metric["name"]) for alarm in alarms):
            yield Finding(counted.address, f"no alarm watches {metric['name']}")
        if state.find("aws_cloudwatch_log_group", name=counted["log_group_name"]) is None:
            yield Finding(counted.address, "it reads no log of this stack")
    for alarm in alarms:
        if not alarm["alarm_actions"] or any(
            not _alarm_may_publish(state, arn, alarm["arn"]) for arn in alarm["alarm_actions"]
        ):
            yield Finding(alarm.address, "its topic does not let it publish")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _bare_values(pattern: dict, path: str = "") -> Iterator[str]:
    for name, value in pattern.items():
        if isinstance(value, dict):
            yield from _bare_values(value, f"{path}{name}.")
        elif not isinstance(value, list) or not value:
            yield f"{path}{name}"


def _trusted(state: State, user: Resource, role_arn: str | None, service: str) -> Iterator[Finding]:
    role = state.find("aws_iam_role", arn=role_arn)
    if role is None:
        yield Finding(user.address, f"its role {role_arn} is not in this stack")
    elif not Policy.parse(role["assume_role_policy"]).trusts(service):
        yield Finding(user.address, f"{service} may not assume its role")


def _rule_of(state: State, target: Resource) -> Resource | None:
    return state.find("aws_cloudwatch_event_rule", name=target["rule"], event_bus_name=target["event_bus_name"])


def _rules_using(state: State, queue_arn: str) -> set[str]:
    targets = state.of("aws_cloudwatch_event_target")
    return {t["rule"] for t in targets if queue_arn in (t["arn"], t.block("dead_letter_config").get("arn"))}


def _queue_open(state: State, queue_arn: str, rule_arn: str) -> bool:
    queue = state.find("aws_sqs_queue", arn=queue_arn)
    return queue is not None and state.queue_policy(queue).allows("sqs:SendMessage", queue_arn, _EVENTS, rule_arn)


def _permitted(state: State, alias_arn: str, service: str, source_arn: str) -> bool:
    """Whether a Lambda permission on the alias lets the service in for this source."""
    alias = state.find("aws_lambda_alias", arn=alias_arn)
    if alias is None:
        return False
    permission = state.find(
        "aws_lambda_permission",
        function_name=alias["function_name"],
        qualifier=alias["name"],
        principal=service,
        source_arn=source_arn,
    )
    return permission is not None and permission["action"] == "lambda:InvokeFunction"


def _log_writable(state: State, group_arn: str, rule_arn: str) -> bool:
    stream = f"{group_arn}:log-stream:any"
    documents = [Policy.parse(policy["policy_document"]) for policy in state.of("aws_cloudwatch_log_resource_policy")]
    return any(document.allows("logs:PutLogEvents", stream, _EVENTS, rule_arn) for document in documents)


def _alarm_may_publish(state: State, topic_arn: str, alarm_arn: str) -> bool:
    policy = state.find("aws_sns_topic_policy", arn=topic_arn)
    return policy is not None and Policy.parse(policy["policy"]).allows(
        "sns:Publish", topic_arn, "cloudwatch.amazonaws.com", alarm_arn
    )


CHECKS: dict[str, Check] = {
    "wiring: the state machine may invoke its functions": machine_may_invoke,
    "wiring: the state machine may log": machine_may_log,
    "wiring: rules may deliver": rules_may_deliver,
    "wiring: patterns match lists": patterns_match_lists,
    "wiring: schedules say what to do": schedules_say_what_to_do,
    "wiring: rules keep failures": rules_keep_failures,
    "wiring: queues trust their rules": queues_trust_their_rules,
    "wiring: functions may run": functions_may_run,
    "wiring: functions keep failures": functions_keep_failures,
    "wiring: functions may do their work": functions_may_do_their_work,
    "wiring: routes reach functions": routes_reach_functions,
    "wiring: logs expire": logs_expire,
    "wiring: failures raise alarms": failures_raise_alarms,
}
