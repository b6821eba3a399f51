//! The sender of notifications over HTTP. Topics go to another sender, where this process has one.

use std::sync::Arc;

use async_trait::async_trait;
use firebreak_core::channels::{HttpRequest, Reply, Request};
use firebreak_engine::ports::Sender;

use crate::client::{Client, call};

pub struct HttpSender {
    client: Client,
    topics: Option<Arc<dyn Sender>>,
}

impl HttpSender {
    pub fn new(client: Client, topics: Option<Arc<dyn Sender>>) -> Self {
        Self { client, topics }
    }

    async fn post(&self, request: &HttpRequest) -> Reply {
        let mut post = self.client.post(&request.url).body(request.body.clone());
        for (name, value) in &request.headers {
            post = post.header(name, value);
        }
        match call(post).await {
            Ok(answer) => Reply::Http {
                status: answer.status,
                body: String::from_utf8_lossy(&answer.body).into_owned(),
            },
            Err(error) => Reply::None { error: error.to_string() },
        }
    }
}

#[async_trait]
impl Sender for HttpSender {
    async fn send(&self, request: &Request) -> Reply {
        match (request, &self.topics) {
            (Request::Http(request), _) => self.post(request).await,
            (Request::Topic { .. }, Some(topics)) => topics.send(request).await,
            (Request::Topic { .. }, None) => {
                Reply::None { error: "this build has no SNS".to_owned() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use firebreak_core::alert::Severity;
    use firebreak_core::channels::{ChannelSettings, Delivery, find};
    use firebreak_core::notification::{Notification, Occasion};
    use firebreak_engine::ports::{Clock as _, SystemClock};
    use reqwest::header::{HeaderMap, HeaderName};
    use serde_json::json;

    use super::*;
    use crate::client::Timeouts;
    use crate::testing::{Behaviour, Server};

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    fn sender() -> HttpSender {
        let timeouts =
            Timeouts { connect: Duration::from_secs(1), total: Duration::from_millis(300) };
        HttpSender::new(Client::new(timeouts).unwrap(), None)
    }

    fn settings(url: &str) -> ChannelSettings {
        serde_json::from_value(json!({"kind": "webhook", "url": url})).unwrap()
    }

    fn request(url: &str) -> Request {
        let notification = Notification {
            event_id: "inc_01A:1".to_owned(),
            incident: "inc_01A".to_owned().try_into().unwrap(),
            occasion: Occasion::Opened,
            severity: Severity::Critical,
            service: "shöp".to_owned(),
            title: "slow".to_owned(),
            text: "two\nlines".to_owned(),
            facts: Vec::new(),
            links: Vec::new(),
            asked: None,
            at: SystemClock.now(),
        };
        let channel = find("webhook").unwrap();
        channel.request(&settings(url), Some(SECRET), &notification, SystemClock.now()).unwrap()
    }

    async fn meaning(server: &Server) -> Delivery {
        let reply = sender().send(&request(&server.url("/hook"))).await;
        find("webhook").unwrap().classify(&reply)
    }

    #[tokio::test]
    async fn what_arrives_passes_the_check_of_the_receiver() {
        let server = Server::start(Behaviour::Status(204)).await;
        assert!(matches!(meaning(&server).await, Delivery::Delivered { .. }));
        let received = server.received();
        assert_eq!(received.len(), 1);
        let mut headers = HeaderMap::new();
        for (name, value) in &received[0].headers {
            headers
                .insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let verifier = standardwebhooks::Webhook::new(SECRET).unwrap();
        verifier.verify(&received[0].body, &headers).unwrap();
        let mut forged = received[0].body.clone();
        forged[10] ^= 1;
        assert!(verifier.verify(&forged, &headers).is_err());
    }

    #[tokio::test]
    async fn redirects_are_refused_and_not_followed() {
        let other = Server::start(Behaviour::Status(200)).await;
        let server = Server::start(Behaviour::Redirect(other.url("/hook"))).await;
        assert!(matches!(meaning(&server).await, Delivery::Refused { .. }));
        assert_eq!((server.received().len(), other.received().len()), (1, 0));
    }

    #[tokio::test]
    async fn silence_resets_and_closed_ports_are_worth_another_try() {
        for behaviour in [Behaviour::Silent, Behaviour::Reset, Behaviour::Status(503)] {
            let server = Server::start(behaviour).await;
            assert!(matches!(meaning(&server).await, Delivery::Again { .. }));
            assert_eq!(server.received().len(), 1, "one call is one request");
        }
        let gone = Server::start(Behaviour::Silent).await.gone().await;
        let reply = sender().send(&request(&gone)).await;
        let Reply::None { error } = reply else { panic!("nobody was there: {reply:?}") };
        assert!(!error.contains("127.0.0.1"), "the address may be a secret: {error}");
    }

    #[tokio::test]
    async fn an_endless_reply_is_cut() {
        let server = Server::start(Behaviour::Endless).await;
        let reply = sender().send(&request(&server.url("/hook"))).await;
        let Reply::Http { status: 200, body } = reply else { panic!("{reply:?}") };
        assert_eq!(body.len(), 64 * 1024);
    }

    #[tokio::test]
    async fn topics_go_to_the_other_sender() {
        struct Topics;

        #[async_trait]
        impl Sender for Topics {
            async fn send(&self, _request: &Request) -> Reply {
                Reply::Published { message_id: "m-1".to_owned() }
            }
        }

        let topic = Request::Topic {
            arn: "arn".to_owned(),
            subject: String::new(),
            message: String::new(),
            attributes: BTreeMap::new(),
        };
        let without = sender().send(&topic).await;
        assert_eq!(without, Reply::None { error: "this build has no SNS".to_owned() });
        let with = HttpSender { topics: Some(Arc::new(Topics)), ..sender() };
        assert_eq!(with.send(&topic).await, Reply::Published { message_id: "m-1".to_owned() });
    }
}
