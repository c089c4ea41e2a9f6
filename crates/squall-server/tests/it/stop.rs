//! The service on a real socket, and how it stops.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use squall_server::{ServeError, tls::Tls};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::app::{BOUNDARY, TestApp, form, part};

/// A service that listens.
pub(crate) struct Server {
    pub(crate) app: TestApp,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Server {
    pub(crate) async fn start(app: TestApp) -> Self {
        Self::start_with(app, None, Duration::from_secs(5)).await
    }

    pub(crate) async fn start_with(app: TestApp, tls: Option<Tls>, grace: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { drop(stopped.await) };
        let served = squall_server::serve(listener, app.service.clone(), tls, shutdown, grace);
        Self {
            app,
            address,
            stop: Some(stop),
            task: tokio::spawn(served),
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Tells the service to stop and returns how long that took.
    async fn stop(mut self) -> Duration {
        let begun = Instant::now();
        self.stop.take().unwrap().send(()).unwrap();
        self.task.await.unwrap().unwrap();
        begun.elapsed()
    }
}

impl TestApp {
    /// Waits until `condition` holds.
    pub(crate) async fn eventually(&self, condition: impl Fn(&Self) -> bool) {
        for _ in 0..500 {
            if condition(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it never came true");
    }
}

#[tokio::test]
async fn idle_and_silent_connections_do_not_delay_the_stop() {
    let server = Server::start(TestApp::new()).await;
    let _silent = server.connect().await;
    let mut idle = server.connect().await;
    idle.write_all(b"GET /api/info HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let address = server.address;
    let took = server.stop().await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_request_in_work_is_answered_before_the_stop() {
    let server = Server::start(TestApp::new()).await;
    let body = form(&[part("a", b"EVIL")]);
    let mut stream = server.connect().await;
    let head = format!(
        "POST /api/check HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..100]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let stopping = tokio::spawn(server.stop());
    tokio::time::sleep(Duration::from_millis(100)).await;
    stream.write_all(&body[100..]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("Alert"), "{answer}");
    assert!(stopping.await.unwrap() < Duration::from_secs(4));
}

#[tokio::test]
async fn what_takes_longer_than_the_grace_is_cut() {
    let app = TestApp::with(|setup| setup.worker = false);
    let server = Server::start_with(app, None, Duration::from_millis(200)).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST /api/check HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n")
        .await
        .unwrap();
    let rest = format!("Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n--");
    stream.write_all(rest.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let took = server.stop().await;
    assert!(
        took >= Duration::from_millis(200) && took < Duration::from_secs(2),
        "{took:?}"
    );
}
