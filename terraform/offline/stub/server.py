"""The plugin handshake: a gRPC server on a private socket, with a certificate made for this one process."""

from __future__ import annotations

import base64
import datetime
import os
import shutil
import sys
import tempfile
import threading
from concurrent import futures
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tf.gen import tfplugin_pb2 as pb

from .provider import Provider

# Terraform puts this in the environment of a plugin, so that a plugin started by hand can say what it is.
_COOKIE = ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
_METHODS = (
    "GetProviderSchema",
    "ValidateProviderConfig",
    "ConfigureProvider",
    "ValidateResourceConfig",
    "ValidateDataResourceConfig",
    "UpgradeResourceState",
    "ReadResource",
    "PlanResourceChange",
    "ApplyResourceChange",
    "ReadDataSource",
    "GetFunctions",
    "StopProvider",
)


def serve(provider: Provider) -> None:
    """Serves until Terraform says goodbye or is gone."""
    if os.environ.get(_COOKIE[0]) != _COOKIE[1]:
        sys.exit("this is a schema-only Terraform provider; terraform starts it")
    done = threading.Event()
    folder = tempfile.mkdtemp(prefix="schema-only-")
    socket = f"{folder}/socket"
    chain, der, key = _certificate()
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers(_handlers(provider, done))
    server.add_secure_port(f"unix:{socket}", grpc.ssl_server_credentials([(key, chain)]))
    server.start()
    print(f"1|6|unix|{socket}|grpc|{base64.b64encode(der).decode().rstrip('=')}", flush=True)
    parent = os.getppid()
    while not done.wait(1.0) and os.getppid() == parent:
        pass
    server.stop(0.1).wait()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _handlers(provider: Provider, done: threading.Event) -> tuple:
    def goodbye(_request: bytes, _context: Any) -> bytes:
        done.set()
        return b""

    methods = {
        name: grpc.unary_unary_rpc_method_handler(
            getattr(provider, name),
            request_deserializer=getattr(pb, name).Request.FromString,
            response_serializer=_serialise,
        )
        for name in _METHODS
    }
    controller = {"Shutdown": grpc.unary_unary_rpc_method_handler(goodbye)}
    stdio = {"StreamStdio": grpc.unary_stream_rpc_method_handler(lambda _request, _context: iter(()))}
    return (
        grpc.method_handlers_generic_handler("tfplugin6.Provider", methods),
        grpc.method_handlers_generic_handler("plugin.GRPCController", controller),
        grpc.method_handlers_generic_handler("plugin.GRPCStdio", stdio),
    )


def _serialise(reply: Any) -> bytes:
    return reply if isinstance(reply, bytes) else reply.SerializeToString()


def _certificate() -> tuple[bytes, bytes, bytes]:
    """A self-signed certificate as (PEM, DER, PEM of its key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(True, False, True, False, True, True, False, False, False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=True)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        certificate.public_bytes(serialization.Encoding.DER),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
