//! Listening, connections with their limits, and a stop that loses nothing.
//!
//! Stopping has three steps. For `limits::STOP_LINGER` connections are accepted and answered as before, but each answer
//! asks its client to close: a client with a request under way never finds its connection closed. Then the listener
//! closes, and connections that wait for a request with it. What is being answered has `limits::STOP_GRACE` to end.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::runtime;
use tokio::select;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::base::fail;
use crate::base::limits;
use crate::base::talk::Talk;
use crate::serve::router::router;
use crate::serve::state::State;
use crate::serve::{ServeOptions, ServedModel};

/// How long nothing is accepted after a connection could not be.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long a connection without a word is listened to at the end: its request may have arrived unseen.
const LAST_WORD: Duration = Duration::from_millis(250);
/// Most headers of one request; hyper answers 431 beyond it.
const HEADERS_MAX: usize = 100;
/// Answer to a connection too many, written without any further thought.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Connections that are open.
pub struct Connections {
    limit: usize,
    open: AtomicUsize,
    closed: Notify,
}

/// One open connection; dropping it makes room for another.
pub struct Slot(Arc<Connections>);

impl Connections {
    /// None open, room for `limit`.
    pub fn new(limit: usize) -> Connections {
        Connections { limit, open: AtomicUsize::new(0), closed: Notify::new() }
    }

    /// Room for one more, if there is any.
    pub fn slot(self: &Arc<Connections>) -> Option<Slot> {
        let taken = self.open.fetch_add(1, Ordering::AcqRel);
        let slot = Slot(Arc::clone(self));
        (taken < self.limit).then_some(slot)
    }

    fn count(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    async fn all_closed(&self) {
        loop {
            let closed = self.closed.notified();
            if self.count() == 0 {
                return;
            }
            closed.await;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
        self.0.closed.notify_one();
    }
}

/// Receives one message for each time the process is told to stop.
pub fn signals() -> Result<mpsc::Receiver<()>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let (told, stop) = mpsc::channel(2);
    tokio::spawn(async move {
        loop {
            select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if told.send(()).await.is_err() {
                return;
            }
        }
    });
    Ok(stop)
}

/// Serves until `stop` gives a message; see [`crate::serve::serve`].
pub fn run(
    models: Vec<ServedModel>,
    options: &ServeOptions,
    talk: &dyn Talk,
    on_ready: &mut dyn FnMut(SocketAddr) -> Result<()>,
    stop: impl FnOnce() -> Result<mpsc::Receiver<()>>,
) -> Result<()> {
    let threads = options.threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from));
    let threads = threads.unwrap_or(1).max(1);
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .max_blocking_threads(threads)
        .thread_name("mlops-serve")
        .enable_all()
        .build()
        .context("cannot start the threads of the server")?;
    let served = runtime.block_on(async {
        let (state, notes) = State::new(models)?;
        let listener = listen(options).await?;
        let stop = stop()?;
        on_ready(listener.local_addr().context("the listener has no address")?)?;
        Server::new(state, listener).serve(notes, stop, talk).await;
        Ok(())
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

/// Opens the listener.
async fn listen(options: &ServeOptions) -> Result<TcpListener> {
    let (host, port) = (options.host.as_str(), options.port);
    let found = lookup_host((host, port)).await;
    let addresses: Vec<SocketAddr> =
        found.map_err(|error| fail::usage(format!("`{host}` is no address: {error}")).hint("use 127.0.0.1"))?.collect();
    let open = addresses.iter().find(|address| !is_loopback(address.ip()));
    if let (Some(open), false) = (open, options.insecure) {
        let what = format!("other machines can reach {}, and nobody would check who asks", open.ip());
        let hint = "listen on 127.0.0.1, or say --insecure when something else keeps strangers out";
        return Err(fail::usage(what).hint(hint).into());
    }
    TcpListener::bind(&addresses[..]).await.map_err(|error| {
        let failure = fail::world(format!("cannot listen on {host} port {port}: {error}"));
        match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                failure.hint(format!("stop what holds port {port}, or choose another: --port 0 takes any free one"))
            }
            std::io::ErrorKind::PermissionDenied => failure.hint("ports below 1024 are for root: take a higher one"),
            _ => failure.hint("use 127.0.0.1, or an address that this machine has"),
        }
        .into()
    })
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

struct Server {
    state: Arc<State>,
    router: Router,
    listener: TcpListener,
    builder: Arc<Builder<TokioExecutor>>,
    connections: Arc<Connections>,
    closing: watch::Sender<bool>,
}

impl Server {
    fn new(state: State, listener: TcpListener) -> Server {
        let state = Arc::new(state);
        let mut builder = Builder::new(TokioExecutor::new()).http1_only();
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits::HEADER_WAIT)
            .max_buf_size(limits::HEADER_BYTES_MAX)
            .max_headers(HEADERS_MAX);
        Server {
            router: router(Arc::clone(&state)),
            state,
            listener,
            builder: Arc::new(builder),
            connections: Arc::new(Connections::new(limits::CONNECTIONS_MAX)),
            closing: watch::Sender::new(false),
        }
    }

    async fn serve(self, mut notes: mpsc::Receiver<String>, mut stop: mpsc::Receiver<()>, talk: &dyn Talk) {
        loop {
            select! {
                accepted = self.listener.accept() => self.take(accepted.map(|(stream, _)| stream), talk).await,
                Some(note) = notes.recv() => talk.warn(&note),
                _ = stop.recv() => break,
            }
        }
        self.state.stop();
        let linger = Instant::now() + limits::STOP_LINGER;
        loop {
            select! {
                biased;
                () = sleep_until(linger) => break,
                accepted = self.listener.accept() => self.take(accepted.map(|(stream, _)| stream), talk).await,
                () = self.connections.all_closed() => break,
            }
        }
        // The system has accepted these for us already; they count.
        for _ in 0..limits::CONNECTIONS_MAX {
            select! {
                biased;
                accepted = self.listener.accept() => self.take(accepted.map(|(stream, _)| stream), talk).await,
                () = std::future::ready(()) => break,
            }
        }
        drop(self.listener);
        self.closing.send_replace(true);
        select! {
            _ = timeout(limits::STOP_GRACE, self.connections.all_closed()) => {}
            Some(()) = stop.recv() => {}
        }
        let cut = self.connections.count();
        if cut > 0 {
            talk.warn(&format!("{cut} connections were cut off under their requests"));
        }
        while let Ok(note) = notes.try_recv() {
            talk.warn(&note);
        }
    }

    async fn take(&self, accepted: std::io::Result<TcpStream>, talk: &dyn Talk) {
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => {
                // Out of file descriptors, or a client that is gone already: others may fare better in a moment.
                talk.warn(&format!("a connection could not be taken: {error}"));
                return sleep(ACCEPT_PAUSE).await;
            }
        };
        let Some(slot) = self.connections.slot() else {
            // Best effort: a client that does not read it finds the connection closed.
            let _ = stream.try_write(FULL);
            return;
        };
        // Answers are small and complete: waiting to fill a packet would only delay them.
        let _ = stream.set_nodelay(true);
        let (router, builder) = (self.router.clone(), Arc::clone(&self.builder));
        tokio::spawn(answer(stream, router, builder, self.closing.subscribe(), slot));
    }
}

/// Answers the requests of one connection.
async fn answer(
    stream: TcpStream,
    router: Router,
    builder: Arc<Builder<TokioExecutor>>,
    mut closing: watch::Receiver<bool>,
    _slot: Slot,
) {
    // Browsers and balancers open connections ahead of need; one that never said a word owes us no wait at the end.
    let heard = select! {
        biased;
        ready = timeout(limits::HEADER_WAIT, stream.readable()) => matches!(ready, Ok(Ok(()))),
        () = told(&mut closing) => matches!(timeout(LAST_WORD, stream.readable()).await, Ok(Ok(()))),
    };
    if !heard {
        return;
    }
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    select! {
        // A connection that ends in an error is one whose client broke the protocol or left: it has been told, or is gone.
        _ = connection.as_mut() => return,
        () = told(&mut closing) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Ends when the server closes, or is gone.
async fn told(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}
