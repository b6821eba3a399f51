//! Runs the service on a socket until it is told to stop.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::knobs::Knobs;
use crate::routes::router;

/// How long requests under way may take to finish once the service stops.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running service; it stops when this is dropped, and `stop` waits until it has.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<io::Result<()>>,
}

/// Listens on `addr` (port 0 takes a free one) and serves in the background.
pub async fn start(addr: SocketAddr, knobs: Knobs) -> io::Result<Running> {
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, router(knobs)).with_graceful_shutdown(async {
        // An error means that `Running` was dropped, which stops the service as well.
        stopped.await.ok();
    });
    let serving = tokio::spawn(async { server.await });
    Ok(Running { addr, stop, serving })
}

impl Running {
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Takes no new requests, lets those under way finish, and cuts off what is left after five seconds.
    pub async fn stop(self) -> io::Result<()> {
        let Self { stop, mut serving, .. } = self;
        drop(stop);
        if let Ok(ended) = tokio::time::timeout(PATIENCE, &mut serving).await {
            return ended?;
        }
        serving.abort();
        Ok(())
    }
}
