//! A server on loopback that stands for the endpoint of SNS: TLS under the real name, by an authority of its own.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use firebreak_http::{Client, SnsEndpoint, Timeouts, install_crypto};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use reqwest::Certificate;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub(crate) const HOST: &str = "sns.eu-west-1.amazonaws.com";

/// What it gives for a path, and what it was asked for. Ends with the test's runtime.
pub(crate) struct Endpoint {
    addr: SocketAddr,
    authority: String,
    asked: Arc<Mutex<Vec<String>>>,
    gives: Arc<Mutex<(u16, Vec<u8>)>>,
}

impl Endpoint {
    pub(crate) async fn start(gives: &[u8]) -> Self {
        install_crypto();
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = authority.self_signed(&authority_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::new(authority, authority_key);
        let certificate = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &issuer).unwrap();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let tls = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Self {
            addr: listener.local_addr().unwrap(),
            authority: root.pem(),
            asked: Arc::default(),
            gives: Arc::new(Mutex::new((200, gives.to_vec()))),
        };
        tokio::spawn(serve(
            listener,
            TlsAcceptor::from(Arc::new(tls)),
            Arc::clone(&endpoint.asked),
            Arc::clone(&endpoint.gives),
        ));
        endpoint
    }

    pub(crate) fn gives(&self, status: u16, body: &[u8]) {
        *self.gives.lock().unwrap() = (status, body.to_vec());
    }

    /// The paths that were asked for since the last call.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// A client for which the name leads here, and which trusts the authority of this endpoint alone.
    pub(crate) fn client(&self) -> SnsEndpoint {
        let root = Certificate::from_pem(self.authority.as_bytes()).unwrap();
        self.leading_here(|builder| builder.tls_certs_only([root]))
    }

    /// A client for which the name leads here, and which trusts what the system trusts.
    pub(crate) fn client_of_the_system(&self) -> SnsEndpoint {
        self.leading_here(|builder| builder)
    }

    fn leading_here(
        &self,
        settings: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> SnsEndpoint {
        let timeouts = Timeouts { connect: Duration::from_secs(2), total: Duration::from_secs(5) };
        let client =
            Client::with(timeouts, |builder| settings(builder.resolve(HOST, self.addr).no_proxy()));
        SnsEndpoint::new(client.unwrap())
    }
}

async fn serve(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    asked: Arc<Mutex<Vec<String>>>,
    gives: Arc<Mutex<(u16, Vec<u8>)>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        // A client that does not trust the certificate ends the handshake.
        let Ok(mut stream) = acceptor.accept(stream).await else { continue };
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        asked.lock().unwrap().push(head.split(' ').nth(1).unwrap_or_default().to_owned());
        let (status, body) = gives.lock().unwrap().clone();
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.ok();
        stream.write_all(&body).await.ok();
        stream.shutdown().await.ok();
    }
}
