"""The emulator as a deployment target: clients, and what was learned about the resources made so far."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from rendered import REFERENCES, Resource, Rewriter


class Target:
    """One emulated account: boto3 clients on its endpoint, the rewriter, and the outputs for the tests."""

    def __init__(self, endpoint: str, region: str) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.region = region
        self.rewriter = Rewriter()
        self._session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=region)
        self._clients: dict[str, Any] = {}
        # The emulator serves an HTTP API only from its own account, so the stack goes there.
        self.account: str = self.client("sts").get_caller_identity()["Account"]
        self.outputs: dict[str, Any] = {"endpoint": self.endpoint, "account": self.account, "region": region}

    def client(self, service: str) -> Any:
        """The client of a service, made once."""
        if service not in self._clients:
            self._clients[service] = self._session.client(
                service,
                endpoint_url=self.endpoint,
                config=Config(retries={"max_attempts": 1}, max_pool_connections=64, read_timeout=70),
            )
        return self._clients[service]

    def queue_arn(self, url: str) -> str:
        """The ARN of a queue by its URL."""
        reply = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return reply["Attributes"]["QueueArn"]

    def learn(self, resource: Resource, **real: str | None) -> None:
        """Remembers the emulator's values for the attributes that other resources may refer to."""
        for name, value in real.items():
            if name not in REFERENCES:
                raise ValueError(f"{name} is not an attribute that others refer to")
            self.rewriter.learn(resource.values.get(name), value)

    def note(self, name: str, value: Any) -> None:
        """Writes one output for the tests."""
        self.outputs[name] = value

    def note_in(self, group: str, name: str, value: Any) -> None:
        """Writes one entry of a group of outputs."""
        self.outputs.setdefault(group, {})[name] = value
