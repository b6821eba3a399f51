"""Creates the rendered storage, queue, topic, secret, role and log group resources on the emulator."""

from __future__ import annotations

import json
from typing import Any

from rendered import Resource
from target import Target

# Condition keys that the emulator's policy evaluation knows nothing about; a statement would never hold with them.
UNKNOWN_CONDITIONS = ("aws:ResourceTag/firebreak", "ec2:Region", "events:source", "kms:ViaService")


def dynamodb_table(target: Target, resource: Resource) -> None:
    """The table with keys, indexes, stream and TTL exactly as rendered."""
    values = resource.values
    keys = [{"AttributeName": values["hash_key"], "KeyType": "HASH"}]
    if values.get("range_key"):
        keys.append({"AttributeName": values["range_key"], "KeyType": "RANGE"})
    request: dict[str, Any] = {
        "TableName": values["name"],
        "BillingMode": values.get("billing_mode") or "PAY_PER_REQUEST",
        "KeySchema": keys,
        "AttributeDefinitions": [
            {"AttributeName": item["name"], "AttributeType": item["type"]} for item in resource.blocks("attribute")
        ],
    }
    indexes = [_index(item) for item in resource.blocks("global_secondary_index")]
    if indexes:
        request["GlobalSecondaryIndexes"] = indexes
    if values.get("stream_enabled"):
        request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": values["stream_view_type"]}
    table = target.client("dynamodb").create_table(**request)["TableDescription"]
    ttl = resource.block("ttl")
    if ttl.get("enabled"):
        target.client("dynamodb").update_time_to_live(
            TableName=values["name"],
            TimeToLiveSpecification={"Enabled": True, "AttributeName": ttl["attribute_name"]},
        )
    target.learn(resource, arn=table["TableArn"], stream_arn=table.get("LatestStreamArn"))
    target.note("table", values["name"])
    target.note("stream", table.get("LatestStreamArn", ""))


def _index(item: dict[str, Any]) -> dict[str, Any]:
    keys = [{"AttributeName": item["hash_key"], "KeyType": "HASH"}] if item.get("hash_key") else []
    if item.get("range_key"):
        keys.append({"AttributeName": item["range_key"], "KeyType": "RANGE"})
    # The provider's newer form of the same two arguments.
    keys += [
        {"AttributeName": key["attribute_name"], "KeyType": key["key_type"]} for key in item.get("key_schema") or []
    ] if not keys else []
    projection: dict[str, Any] = {"ProjectionType": item["projection_type"]}
    if item.get("non_key_attributes"):
        projection["NonKeyAttributes"] = item["non_key_attributes"]
    return {"IndexName": item["name"], "KeySchema": keys, "Projection": projection}


def sqs_queue(target: Target, resource: Resource) -> None:
    """A queue with its order, limits and redrive policy."""
    values = resource.values
    attributes = {
        name: str(values[key])
        for key, name in {
            "deduplication_scope": "DeduplicationScope",
            "fifo_throughput_limit": "FifoThroughputLimit",
            "max_message_size": "MaximumMessageSize",
            "message_retention_seconds": "MessageRetentionPeriod",
            "visibility_timeout_seconds": "VisibilityTimeout",
        }.items()
        if values.get(key)
    }
    if values.get("fifo_queue"):
        attributes["FifoQueue"] = "true"
    for key, name in {"redrive_policy": "RedrivePolicy", "policy": "Policy"}.items():
        document = resource.document(key)
        if document:
            attributes[name] = document
    url = target.client("sqs").create_queue(QueueName=values["name"], Attributes=attributes)["QueueUrl"]
    arn = target.queue_arn(url)
    target.learn(resource, arn=arn, url=url)
    target.note_in("queues", values["name"], {"url": url, "arn": arn})


def sqs_queue_policy(target: Target, resource: Resource) -> None:
    """The policy that lets topics, rules and mappings write to a queue."""
    target.client("sqs").set_queue_attributes(
        QueueUrl=resource.values["queue_url"], Attributes={"Policy": resource.values["policy"]}
    )


def sns_topic(target: Target, resource: Resource) -> None:
    """A topic."""
    arn = target.client("sns").create_topic(Name=resource.values["name"])["TopicArn"]
    target.learn(resource, arn=arn)
    target.note_in("topics", resource.values["name"], arn)


def sns_topic_subscription(target: Target, resource: Resource) -> None:
    """A queue that listens to a topic of somebody else, which is made here; addresses of people are left out."""
    values = resource.values
    if values["protocol"] != "sqs":
        return
    topic = target.client("sns").create_topic(Name=values["topic_arn"].rsplit(":", 1)[-1])["TopicArn"]
    target.client("sns").subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=values["endpoint"],
        Attributes={"RedrivePolicy": values["redrive_policy"]},
    )
    target.note("alarm_topic", topic)


def sns_topic_policy(target: Target, resource: Resource) -> None:
    """Who may publish to a topic."""
    target.client("sns").set_topic_attributes(
        TopicArn=resource.values["arn"], AttributeName="Policy", AttributeValue=resource.values["policy"]
    )


def secretsmanager_secret(target: Target, resource: Resource) -> None:
    """An empty secret; its value is put by the caller, out of band, as on AWS."""
    arn = target.client("secretsmanager").create_secret(Name=resource.values["name"])["ARN"]
    target.learn(resource, arn=arn)
    target.note_in("secrets", resource.values["name"], arn)


def iam_role(target: Target, resource: Resource) -> None:
    """A role with its trust policy and its inline policies."""
    values = resource.values
    role = target.client("iam").create_role(
        RoleName=values["name"], AssumeRolePolicyDocument=values["assume_role_policy"]
    )["Role"]
    for inline in resource.blocks("inline_policy"):
        if inline.get("name") and inline.get("policy"):
            target.client("iam").put_role_policy(
                RoleName=values["name"], PolicyName=inline["name"], PolicyDocument=_policy(target, inline["policy"])
            )
    target.learn(resource, arn=role["Arn"])


def iam_role_policy(target: Target, resource: Resource) -> None:
    """An inline policy of a role."""
    values = resource.values
    role = values["role"].rsplit("/", 1)[-1]
    target.client("iam").put_role_policy(
        RoleName=role, PolicyName=values.get("name") or "inline", PolicyDocument=_policy(target, values["policy"])
    )


def iam_policy(target: Target, resource: Resource) -> None:
    """A managed policy."""
    values = resource.values
    document = _policy(target, values["policy"])
    policy = target.client("iam").create_policy(PolicyName=values["name"], PolicyDocument=document)["Policy"]
    target.learn(resource, arn=policy["Arn"])


def iam_role_policy_attachment(target: Target, resource: Resource) -> None:
    """A managed policy attached to a role."""
    values = resource.values
    target.client("iam").attach_role_policy(RoleName=values["role"], PolicyArn=values["policy_arn"])


def _policy(target: Target, text: str) -> str:
    """A policy with the conditions that the emulator can evaluate; the others are noted."""
    document = json.loads(text)
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    for statement in statements:
        for operator, keys in list(statement.get("Condition", {}).items()):
            for key in [key for key in keys if key in UNKNOWN_CONDITIONS]:
                del keys[key]
                target.note_in("ignored_conditions", key, statement.get("Sid", ""))
            if not keys:
                del statement["Condition"][operator]
        if statement.get("Condition") == {}:
            del statement["Condition"]
    return json.dumps(document)


def log_group(target: Target, resource: Resource) -> None:
    """A log group."""
    target.client("logs").create_log_group(logGroupName=resource.values["name"])
