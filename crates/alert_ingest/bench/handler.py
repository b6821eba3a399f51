"""The benchmark's peer: the job of alert_ingest, written the usual way for Python 3.11 and boto3."""

import base64
import datetime
import hashlib
import hmac
import json
import os
import secrets

import boto3

TABLE_NAME = os.environ["TABLE_NAME"]
SEVERITIES = {"Critical": "critical", "Warning": "warning", "MissingData": "warning"}

dynamodb = boto3.client("dynamodb")
secrets_manager = boto3.client("secretsmanager")
SECRET = json.loads(secrets_manager.get_secret_value(SecretId=os.environ["SECRET_ID"])["SecretString"])


def lambda_handler(event, context):
    source = event["pathParameters"]["source"]
    if source not in SECRET["sources"]:
        return answer(404, {"error": {"code": "unknown_source", "message": f"no source {source}"}})
    if not authenticated(event["headers"], SECRET["sources"][source]):
        return answer(401, {"error": {"code": "not_authenticated", "message": "bearer token needed"}})
    body = event["body"]
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body)
    alert = normalise(json.loads(body))
    incident_id = new_id()
    record(alert, incident_id)
    accepted = {"fingerprint": alert["fingerprint"], "incident_id": incident_id, "outcome": "opened"}
    return answer(202, {"accepted": [accepted], "quarantined": []})


def authenticated(headers, tokens):
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    # Every token is compared, so that the time says nothing about which one was close.
    matches = [hmac.compare_digest(given.encode(), token.encode()) for token in tokens]
    return any(matches)


def normalise(payload):
    if payload["schema"] != "firebreak.sumologic.v1":
        raise ValueError(f"unknown schema {payload['schema']}")
    group = {key: value for key, value in payload["group"].items() if value}
    identity = {"source": "sumologic", "monitor_id": payload["monitor_id"], "group": group}
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    trigger = payload["trigger_type"].removeprefix("Resolved")
    return {
        "source": "sumologic",
        "fingerprint": "v1:" + hashlib.sha256(canonical.encode()).hexdigest(),
        "status": "resolved" if payload["trigger_type"].startswith("Resolved") else "firing",
        "severity": SEVERITIES.get(trigger, "warning"),
        "service": group.get("service", "unknown"),
        "title": payload["alert_name"] or payload["name"],
        "labels": {"monitor": payload["name"], **group},
        "annotations": {"description": payload["description"], "query": payload["query"]},
        "starts_at": instant(payload["start_ms"]),
        "links": [payload["alert_url"], payload["source_url"], payload["query_url"]],
        "results": json.loads(payload["results"]) if payload["results"] else [],
    }


def instant(milliseconds):
    return datetime.datetime.fromtimestamp(int(milliseconds) / 1000, datetime.UTC).isoformat()


def new_id():
    now = datetime.datetime.now(datetime.UTC)
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def record(alert, incident_id):
    now = datetime.datetime.now(datetime.UTC).isoformat()
    shared = {
        "service": {"S": alert["service"]},
        "severity": {"S": alert["severity"]},
    }
    opened = {"type": "incident.opened", "at": now, "alert": alert}
    incident = {"id": incident_id, "status": "open", "opened_at": now, "alerts": {alert["fingerprint"]: alert}}
    items = [
        {
            "pk": {"S": f"DEDUP#{alert['fingerprint']}"},
            "sk": {"S": "WINDOW"},
            "incident_id": {"S": incident_id},
            "occurrences": {"N": "1"},
            "last_seen": {"S": now},
        },
        {
            "pk": {"S": f"INC#{incident_id}"},
            "sk": {"S": "META"},
            "version": {"N": "1"},
            "status": {"S": "open"},
            "opened_at": {"S": now},
            "board_pk": {"S": "BOARD#open"},
            "board_sk": {"S": f"{now}#{incident_id}"},
            "body": {"S": json.dumps(incident)},
            **shared,
        },
        {
            "pk": {"S": f"INC#{incident_id}"},
            "sk": {"S": "EVT#0000000001"},
            "type": {"S": "incident.opened"},
            "at": {"S": now},
            "title": {"S": alert["title"]},
            "body": {"S": json.dumps(opened)},
            **shared,
        },
    ]
    dynamodb.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": TABLE_NAME, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
            for item in items
        ]
    )


def answer(status, body):
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
