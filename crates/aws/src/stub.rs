//! A server on loopback that answers as it is told, for what no emulator does: break off, hang, talk nonsense.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a request gets once it was read.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Http(u16, &'static str),
    /// Closes without a word.
    Close,
    Hang,
}

pub(crate) struct Stub {
    pub(crate) config: SdkConfig,
    pub(crate) endpoint: String,
    requests: Arc<AtomicUsize>,
}

impl Stub {
    /// Gives the answers in turn, the last one again and again.
    pub(crate) async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, answers.clone(), Arc::clone(&counted)));
            }
        });
        let endpoint = format!("http://{address}");
        Self { config: config(&endpoint).await, endpoint, requests }
    }

    /// How many requests arrived.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// A configuration for an endpoint, with credentials that are worth nothing.
pub(crate) async fn config(endpoint: &str) -> SdkConfig {
    let worthless = Credentials::builder()
        .access_key_id("test")
        .secret_access_key("test")
        .provider_name("stub");
    crate::client::loader()
        .endpoint_url(endpoint)
        .region(Region::new("eu-west-1"))
        .credentials_provider(worthless.build())
        .load()
        .await
}

async fn serve(mut stream: TcpStream, answers: Vec<Answer>, requests: Arc<AtomicUsize>) {
    while read_request(&mut stream).await {
        let turn = requests.fetch_add(1, Ordering::SeqCst);
        match answers.get(turn).or(answers.last()).expect("at least one answer") {
            Answer::Close => return,
            Answer::Hang => std::future::pending().await,
            Answer::Http(status, body) => {
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} stub\r\nx-amzn-requestid: req-{turn}\r\ncontent-length: {length}\r\n\r\n{body}"
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    }
}

/// Reads head and body; false when the other side closed.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut read = Vec::new();
    let mut chunk = [0; 8192];
    loop {
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return false,
            Ok(n) => read.extend_from_slice(&chunk[..n]),
        }
        let text = String::from_utf8_lossy(&read).to_ascii_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        if body.len() >= length.map_or(0, |digits| digits.trim().parse().unwrap()) {
            return true;
        }
    }
}
