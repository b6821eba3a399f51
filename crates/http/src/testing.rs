//! A raw server that misbehaves as it is told, and remembers what it was sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it does with a request that changes something. `GET` always answers the flag `f`.
#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    Status(u16),
    Redirect(String),
    /// Takes the request and never answers.
    Silent,
    /// Takes the request and cuts the connection.
    Reset,
    Endless,
    /// Does what is asked and then fails in one of the ways above.
    AfterEffect(Box<Behaviour>),
    /// Says yes in words of its own.
    Chatty,
}

#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Stops when it is dropped.
pub(crate) struct Server {
    port: u16,
    state: Arc<Mutex<State>>,
    serving: JoinHandle<()>,
}

struct State {
    behaviour: Behaviour,
    value: Value,
    version: u64,
    received: Vec<Received>,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let value = json!(false);
        let state = State { behaviour, value, version: 1, received: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move { serve(stream, &state).await });
            }
        });
        Self { port, state, serving }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Stops listening; answers with an address where nobody is any more.
    pub(crate) async fn gone(mut self) -> String {
        self.serving.abort();
        (&mut self.serving).await.unwrap_err();
        self.url("/hook")
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        lock(&self.state).behaviour = behaviour;
    }

    /// The requests that were to change something.
    pub(crate) fn received(&self) -> Vec<Received> {
        lock(&self.state).received.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Some((method, received)) = request(&mut stream).await else { return };
    if method == "GET" {
        let body = {
            let state = lock(state);
            json!({"name": "f", "value": state.value, "version": state.version}).to_string()
        };
        return answer(&mut stream, 200, "", &body).await;
    }
    let behaviour = {
        let mut state = lock(state);
        let change: Value = serde_json::from_slice(&received.body).unwrap_or_default();
        state.received.push(received);
        match state.behaviour.clone() {
            Behaviour::AfterEffect(then) => {
                state.value = change["value"].clone();
                state.version += 1;
                *then
            }
            other => other,
        }
    };
    match behaviour {
        Behaviour::Status(status) => answer(&mut stream, status, "", "").await,
        Behaviour::Redirect(to) => {
            answer(&mut stream, 307, &format!("location: {to}\r\n"), "").await;
        }
        Behaviour::Chatty => answer(&mut stream, 200, "", "<html>ok</html>").await,
        Behaviour::Silent => tokio::time::sleep(Duration::from_secs(30)).await,
        Behaviour::Reset | Behaviour::AfterEffect(_) => {}
        Behaviour::Endless => {
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
            stream.write_all(head.as_bytes()).await.ok();
            while stream.write_all(&[b'x'; 8192]).await.is_ok() {}
        }
    }
}

async fn answer(stream: &mut TcpStream, status: u16, headers: &str, body: &str) {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.ok();
}

async fn request(stream: &mut TcpStream) -> Option<(String, Received)> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.lines();
    let method = lines.next()?.split(' ').next()?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, length)| length.parse().unwrap());
    let mut body = bytes[head_end + 4..].to_vec();
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((method, Received { headers, body }))
}
