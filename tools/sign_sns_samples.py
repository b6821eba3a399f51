#!/usr/bin/env python3
"""Writes events/sns/signed_*: messages as Amazon SNS posts them, signed with a key that is thrown away, and its certificates.

usage: tools/sign_sns_samples.py    (needs `openssl`; the samples in the repository are one run of it)
"""

import base64
import json
import pathlib
import subprocess
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "events" / "sns"
TOPIC = "arn:aws:sns:eu-west-1:111122223333:alarms"
HOST = "https://sns.eu-west-1.amazonaws.com"
TIME = "2026-11-21T04:00:20.123Z"
TOKEN = "2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92"
SIGNED = {
    "Notification": ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
    "SubscriptionConfirmation": [
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ],
}
SIGNED["UnsubscribeConfirmation"] = SIGNED["SubscriptionConfirmation"]
ALARM = {
    "AlarmName": "api-5xx",
    "AlarmDescription": "errors of the api",
    "AWSAccountId": "111122223333",
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed: 1 datapoint [7.0] was greater than the threshold (5.0).",
    "StateChangeTime": "2026-11-21T04:00:19.900+0000",
    "Region": "EU (Ireland)",
    "AlarmArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:api-5xx",
    "OldStateValue": "OK",
    "Trigger": {
        "MetricName": "HTTPCode_Target_5XX_Count",
        "Namespace": "AWS/ApplicationELB",
        "StatisticType": "Statistic",
        "Statistic": "SUM",
        "Unit": None,
        "Dimensions": [{"name": "LoadBalancer", "value": "app/api/50dc6c495c0c9188"}],
        "Period": 60,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 5.0,
        "TreatMissingData": "notBreaching",
    },
}


def openssl(*arguments, text=None):
    return subprocess.run(["openssl", *arguments], input=text, check=True, capture_output=True).stdout


def certificates(folder, key):
    """A root of our own, and certificates for one key: good, of an opt-in Region, made out to another, expired."""
    root_key, root = folder / "root.key", folder / "root.pem"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", root_key, "-out", root,
            "-days", "36500", "-subj", "/CN=Root of the samples")
    request, extension, settings = folder / "request.pem", folder / "extension", folder / "ca.cnf"
    openssl("req", "-new", "-key", key, "-subj", "/CN=sns.amazonaws.com", "-out", request)
    (folder / "index.txt").touch()
    settings.write_text(
        f"[ca]\ndefault_ca = c\n[c]\ndatabase = {folder}/index.txt\nnew_certs_dir = {folder}\nrand_serial = yes\n"
        "default_md = sha256\npolicy = p\nunique_subject = no\n[p]\ncommonName = supplied\n"
    )
    (FOLDER / "certificates").mkdir(exist_ok=True)
    for name, host, begin, end in [
        ("good", "sns.amazonaws.com", "20200101000000Z", "21200101000000Z"),
        ("regional", "sns-signing.eu-west-1.amazonaws.com", "20200101000000Z", "21200101000000Z"),
        ("other_name", "sns.amazonaws.com.evil.example", "20200101000000Z", "21200101000000Z"),
        ("expired", "sns.amazonaws.com", "20200101000000Z", "20210101000000Z"),
    ]:
        extension.write_text(f"subjectAltName=DNS:{host}\n")
        openssl("ca", "-batch", "-notext", "-config", settings, "-cert", root, "-keyfile", root_key, "-in", request,
                "-startdate", begin, "-enddate", end, "-extfile", extension,
                "-out", FOLDER / "certificates" / f"{name}.pem")


def write(key, name, version, message):
    message = {"MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": TOPIC, "Timestamp": TIME, **message}
    fields = [field for field in SIGNED[message["Type"]] if field in message]
    text = "".join(f"{field}\n{message[field]}\n" for field in fields)
    digest = {"1": "-sha1", "2": "-sha256"}[version]
    signature = openssl("dgst", digest, "-sign", key, text=text.encode())
    message |= {
        "SignatureVersion": version,
        "Signature": base64.b64encode(signature).decode(),
        "SigningCertURL": f"{HOST}/SimpleNotificationService-0123456789abcdef.pem",
    }
    (FOLDER / f"{name}.json").write_text(json.dumps(message, indent=2, ensure_ascii=False) + "\n")


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        key = folder / "key.pem"
        openssl("genrsa", "-out", key, "2048")
        certificates(folder, key)
        alarm = {"Type": "Notification", "Subject": 'ALARM: "api-5xx" in EU (Ireland)', "Message": json.dumps(ALARM)}
        write(key, "signed_alarm_v1", "1", alarm)
        write(key, "signed_alarm_v2", "2", alarm)
        write(key, "signed_text_without_subject", "2", {"Type": "Notification", "Message": "größer\nals erlaubt"})
        asks = {"Token": TOKEN, "SubscribeURL": f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={TOKEN}"}
        write(key, "signed_subscription", "2", {
            "Type": "SubscriptionConfirmation", "Message": f"You have chosen to subscribe to the topic {TOPIC}.", **asks,
        })
        write(key, "signed_unsubscribed", "1", {
            "Type": "UnsubscribeConfirmation", "Message": f"You have chosen to deactivate a subscription of {TOPIC}.", **asks,
        })


if __name__ == "__main__":
    main()
