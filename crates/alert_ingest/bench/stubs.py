"""What a function talks to, on loopback: the Lambda Runtime API, and AWS endpoints that answer at once."""

import asyncio
import json
import uuid
from collections import Counter


class Server:
    """Just enough HTTP/1.1 with keep-alive for two well-behaved clients."""

    def __init__(self, answer):
        self.answer = answer
        self.connections = set()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for connection in self.connections:
            connection.cancel()

    async def serve(self, reader, writer):
        connection = asyncio.current_task()
        self.connections.add(connection)
        try:
            while True:
                method, path, headers, body = await read_request(reader)
                status, extra, answer = await self.answer(method, path, headers, body)
                head = [f"HTTP/1.1 {status} stub", f"content-length: {len(answer)}", *extra, "", ""]
                writer.write("\r\n".join(head).encode() + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.connections.discard(connection)
            writer.close()


async def read_request(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {}
    for line in filter(None, head[1:]):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return method, path, headers, await reader.readexactly(int(headers.get("content-length", 0)))
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    while (await reader.readline()).strip():
        pass
    return method, path, headers, body


class RuntimeApi:
    """Hands events to one function process and gives back what it answers."""

    def __init__(self):
        self.waiting = asyncio.Queue()
        self.answers = asyncio.Queue()

    async def answer(self, method, path, _headers, body):
        if method == "GET" and path.endswith("/invocation/next"):
            event = await self.waiting.get()
            headers = [
                "content-type: application/json",
                f"lambda-runtime-aws-request-id: {uuid.uuid4()}",
                "lambda-runtime-deadline-ms: 4102444800000",
                "lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:123456789012:function:alert_ingest",
                "lambda-runtime-trace-id: Root=1-6742f0a0-1de4d666d4dd26aced652b6c;Sampled=0",
            ]
            return 200, headers, event
        kind = path.rsplit("/", 1)[-1]
        self.answers.put_nowait((kind, body))
        return 202, ["content-type: application/json"], b'{"status":"OK"}'

    async def invoke(self, event):
        """Gives `event` to the function; returns once the whole answer is here."""
        self.waiting.put_nowait(event)
        kind, body = await self.answers.get()
        if kind != "response":
            raise RuntimeError(f"the function reported an error: {body.decode()[:2000]}")
        return json.loads(body)


class Aws:
    """DynamoDB with an empty table and Secrets Manager with one secret; both speak JSON and name the call in a header."""

    def __init__(self, secret):
        self.calls = Counter()
        self.answers = {
            "GetSecretValue": {
                "ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:bench",
                "Name": "bench",
                "VersionId": "00000000-0000-0000-0000-000000000001",
                "SecretString": json.dumps(secret),
                "VersionStages": ["AWSCURRENT"],
                "CreatedDate": 1795231500.0,
            },
            "BatchGetItem": {"Responses": {}, "UnprocessedKeys": {}},
            "DescribeTable": {"Table": {"TableName": "bench", "TableStatus": "ACTIVE"}},
            "GetItem": {},
            "PutItem": {},
            "Query": {"Items": [], "Count": 0, "ScannedCount": 0},
            "TransactGetItems": {"Responses": []},
            "TransactWriteItems": {},
            "UpdateItem": {},
        }

    async def answer(self, _method, _path, headers, _body):
        call = headers.get("x-amz-target", "none").rsplit(".", 1)[-1]
        self.calls[call] += 1
        kind = [f"content-type: {headers.get('content-type', 'application/x-amz-json-1.0')}"]
        if call in self.answers:
            return 200, kind, json.dumps(self.answers[call]).encode()
        problem = {"__type": "UnknownOperationException", "message": f"the stub has no answer for {call}"}
        return 400, kind, json.dumps(problem).encode()
