//! Accepts connections and serves the router on them, within limits, until
//! told to stop.

mod activity;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::door::{Door, Elsewhere};
use crate::health;
use crate::service::Service;
use crate::throttle::Throttle;
use crate::tls::{ClientCertificate, Tls};
use crate::upload::Peer;
use activity::{Activity, OpenBody, Patience, Watched};

/// Connections beyond the limit that are served a refusal. When these are used
/// up too, others wait in the kernel's backlog.
const REFUSED_MAX: usize = 64;
/// How long a refused connection may take.
const REFUSED_PATIENCE: Patience = Patience {
    header_timeout: Duration::from_secs(3),
    idle_timeout: Duration::from_secs(3),
};
/// How often connections are looked at.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// Connections that the listener for administrators takes beside those of the
/// other: whoever uses that up does not shut them out.
const ADMIN_CONNECTIONS_MAX: usize = 64;
/// Pause after a failed accept: the cause (no file descriptors) does not go
/// away at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Lines about connections that failed are logged at most this often.
const LOG_INTERVAL: Duration = Duration::from_secs(1);
/// Largest head of a request, and most that is read ahead of a body.
const READ_BUFFER_LEN_MAX: usize = 64 * 1024;
/// How much is read at once of a TLS connection: two full records. The TLS
/// library asks for 4 KiB at a time, a system call each.
const TLS_READ_LEN: usize = 32 * 1024;
/// Most requests at the same time on one HTTP/2 connection.
const STREAMS_MAX: u32 = 64;
/// How much of one HTTP/2 body is sent ahead; bounds memory per upload.
const STREAM_WINDOW_LEN: u32 = 256 * 1024;

/// The listener broke.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// No more connections can be accepted on it, ever.
    #[error("cannot accept connections")]
    Accept(#[source] io::Error),
}

/// The sockets that connections come in by.
#[derive(Debug)]
pub struct Listeners {
    /// For everything, or for what collectors need if there is another.
    pub main: TcpListener,
    /// For everything, beside one for collectors.
    pub admin: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    fn from(main: TcpListener) -> Self {
        Self { main, admin: None }
    }
}

/// Serves `service` on `listeners` until `shutdown` ends; requests that were
/// begun then have `grace` to be answered. Checks that still wait for a worker
/// are not among them if the queue's claims are stopped first.
///
/// # Errors
///
/// Fails if a listener breaks.
pub async fn serve(
    listeners: impl Into<Listeners>,
    service: Service,
    tls: Option<Tls>,
    shutdown: impl Future<Output = ()>,
    grace: Duration,
) -> Result<(), ServeError> {
    let listeners = listeners.into();
    tokio::spawn(health::watch(service.clone()));
    let server = Arc::new(Server::new(service, tls));
    let main = match &listeners.admin {
        Some(_) => Door::Public,
        None => Door::Only,
    };
    let ended = tokio::select! {
        error = server.accept_all(&listeners.main, main) => Err(error),
        error = server.accept_all_if(listeners.admin.as_ref(), Door::Admin) => Err(error),
        () = shutdown => Ok(()),
    };
    drop(listeners);
    server.stop(grace).await;
    ended
}

/// What all connections share.
struct Server {
    router: Router,
    refusing_router: Router,
    patience: Patience,
    tls: Option<Tls>,
    places: Places,
    admin_places: Places,
    tasks: TaskTracker,
    /// Requests are finished, then connections closed.
    stopping: CancellationToken,
    /// Connections are cut.
    killing: CancellationToken,
    accept_log: Throttle,
    certificate_log: Throttle,
    service: Service,
}

/// How many connections of a listener there may be.
struct Places {
    permits: Arc<Semaphore>,
    refused_permits: Arc<Semaphore>,
}

impl Places {
    fn new(connections_max: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(connections_max)),
            refused_permits: Arc::new(Semaphore::new(REFUSED_MAX)),
        }
    }
}

/// A connection and its place.
struct Accepted {
    stream: TcpStream,
    peer: SocketAddr,
    door: Door,
    /// It is one too many.
    refused: bool,
    _permit: OwnedSemaphorePermit,
}

impl Server {
    fn new(service: Service, tls: Option<Tls>) -> Self {
        let limits = &service.config().limits;
        Self {
            patience: Patience {
                header_timeout: limits.header_timeout,
                idle_timeout: limits.idle_timeout,
            },
            tls,
            places: Places::new(limits.connections_max),
            admin_places: Places::new(ADMIN_CONNECTIONS_MAX),
            tasks: TaskTracker::new(),
            stopping: service.stopping().clone(),
            killing: CancellationToken::new(),
            accept_log: Throttle::new(LOG_INTERVAL),
            certificate_log: Throttle::new(LOG_INTERVAL),
            router: crate::router(service.clone()),
            refusing_router: crate::router::refusing_router(service.clone()),
            service,
        }
    }

    /// Accepts connections until the listener breaks.
    async fn accept_all(self: &Arc<Self>, listener: &TcpListener, door: Door) -> ServeError {
        loop {
            match self.accept(listener, door).await {
                Ok(accepted) => self.start(accepted),
                Err(error) => return error,
            }
        }
    }

    async fn accept_all_if(
        self: &Arc<Self>,
        listener: Option<&TcpListener>,
        door: Door,
    ) -> ServeError {
        match listener {
            Some(listener) => self.accept_all(listener, door).await,
            None => std::future::pending().await,
        }
    }

    /// Accepts the next connection. Whether it has a place is decided when it
    /// is there, not while it is waited for.
    async fn accept(&self, listener: &TcpListener, door: Door) -> Result<Accepted, ServeError> {
        let places = match door {
            Door::Admin => &self.admin_places,
            Door::Only | Door::Public => &self.places,
        };
        let refused_permit = Arc::clone(&places.refused_permits).acquire_owned();
        let Ok(refused_permit) = refused_permit.await else {
            // The semaphore is never closed.
            return std::future::pending().await;
        };
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let permit = Arc::clone(&places.permits).try_acquire_owned();
                    return Ok(Accepted {
                        stream,
                        peer,
                        door,
                        refused: permit.is_err(),
                        _permit: permit.unwrap_or(refused_permit),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    return Err(ServeError::Accept(error));
                }
                Err(error) => {
                    if let Some(suppressed) = self.accept_log.admit() {
                        tracing::warn!(%error, suppressed, "cannot accept a connection");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn start(self: &Arc<Self>, accepted: Accepted) {
        let server = Arc::clone(self);
        let metrics = self.service.metrics();
        let open = metrics.open_connection(accepted.refused);
        self.tasks.spawn(async move {
            tokio::select! {
                () = server.killing.cancelled() => {}
                () = server.serve_accepted(accepted) => {}
            }
            drop(open);
        });
    }

    async fn serve_accepted(&self, accepted: Accepted) {
        let Accepted {
            stream,
            peer,
            door,
            refused,
            _permit,
        } = accepted;
        let _ = stream.set_nodelay(true);
        let way = |certificate| Way {
            peer,
            door,
            certificate,
        };
        let Some(tls) = &self.tls else {
            self.serve_stream(stream, way(None), refused).await;
            return;
        };
        let stream = BufReader::with_capacity(TLS_READ_LEN, stream);
        let (acceptor, checked_by) = tls.acceptor();
        let handshake = acceptor.accept(stream);
        match tokio::time::timeout(self.patience.header_timeout, handshake).await {
            Ok(Ok(stream)) => {
                let certificate = ClientCertificate::of(tls, stream.get_ref().1, checked_by);
                self.serve_stream(stream, way(certificate), refused).await;
            }
            Ok(Err(error)) => self.note_handshake(peer, &error),
            Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
        }
    }

    /// Says why a handshake failed: aloud, if it is for the client's
    /// certificate, since only the log tells why.
    fn note_handshake(&self, peer: SocketAddr, error: &io::Error) {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
        let is_refusal = matches!(
            cause,
            Some(
                rustls::Error::InvalidCertificate(_)
                    | rustls::Error::NoCertificatesPresented
                    | rustls::Error::InvalidCertRevocationList(_)
            )
        );
        if !is_refusal {
            tracing::debug!(%peer, %error, "a TLS handshake failed");
        } else if let Some(suppressed) = self.certificate_log.admit() {
            tracing::warn!(%peer, %error, suppressed, "refused a client's certificate");
        }
    }

    async fn serve_stream<S>(&self, stream: S, way: Way, refused: bool)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let peer = way.peer;
        let (router, patience) = if refused {
            (&self.refusing_router, REFUSED_PATIENCE)
        } else {
            (&self.router, self.patience)
        };
        let activity = Activity::new();
        let answer = {
            let (router, activity) = (router.clone(), Arc::clone(&activity));
            hyper::service::service_fn(move |request| {
                answer(router.clone(), request, &way, Arc::clone(&activity))
            })
        };
        let stream = Watched {
            inner: stream,
            activity: Arc::clone(&activity),
        };
        let builder = builder();
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answer));
        let mut check = tokio::time::interval(CHECK_INTERVAL.min(patience.header_timeout / 4));
        let mut stopping = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, error, "a connection broke");
                    }
                    return;
                }
                () = self.stopping.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                _ = check.tick() => if activity.is_stale(patience) {
                    tracing::debug!(%peer, "cut a silent connection");
                    return;
                }
            }
        }
    }

    async fn stop(&self, grace: Duration) {
        self.stopping.cancel();
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                connections = self.tasks.len(),
                "cut connections that were not done in time"
            );
            self.killing.cancel();
            self.tasks.wait().await;
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // Also counts idle time; `Activity` tells the two apart.
        .header_read_timeout(None)
        .max_buf_size(READ_BUFFER_LEN_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_LEN)
        .initial_connection_window_size(STREAM_WINDOW_LEN * 4)
        .max_header_list_size(32 * 1024);
    builder
}

/// How a request comes here.
struct Way {
    peer: SocketAddr,
    door: Door,
    certificate: Option<ClientCertificate>,
}

fn answer(
    router: Router,
    mut request: Request<Incoming>,
    way: &Way,
    activity: Arc<Activity>,
) -> impl Future<Output = Result<Response<Body>, Infallible>> + use<> {
    let (handling, open) = activity.begin();
    let extensions = request.extensions_mut();
    extensions.insert(Peer(way.peer));
    extensions.insert(way.door);
    if let Some(certificate) = &way.certificate {
        extensions.insert(certificate.clone());
    }
    async move {
        let mut response = router.oneshot(request.map(Body::new)).await?;
        Elsewhere::hide(&mut response);
        drop(handling);
        Ok(response.map(|inner| Body::new(OpenBody { inner, _open: open })))
    }
}
