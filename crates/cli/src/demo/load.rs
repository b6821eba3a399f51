//! A small steady load on the checkout service.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinHandle;

/// Twenty requests a second: enough for a rate, too little to notice on a laptop.
const EVERY: Duration = Duration::from_millis(50);

/// Sends requests until it is aborted; what they answer is the checkout's own to count.
pub(super) fn start(checkout: SocketAddr) -> JoinHandle<()> {
    tokio::spawn(async move {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(2)).build();
        let Ok(http) = http else { return };
        let mut clock = tokio::time::interval(EVERY);
        loop {
            clock.tick().await;
            let request = http.post(format!("http://{checkout}/checkout")).send();
            tokio::spawn(async move {
                if let Err(error) = request.await {
                    tracing::debug!(%error, "a request of the load failed");
                }
            });
        }
    })
}
