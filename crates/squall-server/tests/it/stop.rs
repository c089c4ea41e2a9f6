//! The service on a real socket, and how it stops.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use squall_queue::{Completion, Lanes, Verdict};
use squall_server::{Listeners, ServeError, tls::Tls};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::app::{BOUNDARY, TestApp, form, part};

/// A service that listens.
pub(crate) struct Server {
    pub(crate) app: TestApp,
    pub(crate) address: SocketAddr,
    /// The listener for administrators, if there is one.
    pub(crate) admin: Option<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Server {
    pub(crate) async fn start(app: TestApp) -> Self {
        Self::start_with(app, None, Duration::from_secs(5)).await
    }

    pub(crate) async fn start_with(app: TestApp, tls: Option<Tls>, grace: Duration) -> Self {
        let main = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::start_on(main.into(), app, tls, grace)
    }

    /// Starts a service with a listener for administrators.
    pub(crate) async fn start_two(app: TestApp) -> Self {
        let main = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let admin = Some(TcpListener::bind("127.0.0.1:0").await.unwrap());
        Self::start_on(Listeners { main, admin }, app, None, Duration::from_secs(5))
    }

    fn start_on(listeners: Listeners, app: TestApp, tls: Option<Tls>, grace: Duration) -> Self {
        let address = listeners.main.local_addr().unwrap();
        let admin = listeners.admin.as_ref();
        let admin = admin.map(|admin| admin.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { drop(stopped.await) };
        let served = squall_server::serve(listeners, app.service.clone(), tls, shutdown, grace);
        Self {
            app,
            address,
            admin,
            stop: Some(stop),
            task: tokio::spawn(served),
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Tells the service to stop and returns how long that took.
    pub(crate) async fn stop(mut self) -> Duration {
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

/// A request that uploads a file to be checked.
fn whole_upload() -> Vec<u8> {
    let body = form(&[part("a", b"EVIL")]);
    let head = format!(
        "POST /api/check HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
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
    let mut stream = server.connect().await;
    let upload = whole_upload();
    let (first, rest) = upload.split_at(upload.len() - 100);
    stream.write_all(first).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let stopping = tokio::spawn(server.stop());
    tokio::time::sleep(Duration::from_millis(100)).await;
    stream.write_all(rest).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("Alert"), "{answer}");
    assert!(stopping.await.unwrap() < Duration::from_secs(4));
}

#[tokio::test]
async fn a_check_that_nobody_takes_is_refused_at_the_stop() {
    let app = TestApp::with(|setup| setup.worker = false);
    let server = Server::start_with(app, None, Duration::from_secs(10)).await;
    let mut taken = server.connect().await;
    taken.write_all(&whole_upload()).await.unwrap();
    server
        .app
        .eventually(|app| app.queue.stats().immediate_waiting == 1)
        .await;
    let claim = server.app.queue.claim(Lanes::All, 0).unwrap();
    let mut other = server.connect().await;
    other.write_all(&whole_upload()).await.unwrap();
    server
        .app
        .eventually(|app| app.queue.stats().immediate_waiting == 1)
        .await;
    let queue = server.app.queue.clone();
    queue.stop_claims();
    let stopping = tokio::spawn(server.stop());
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!stopping.is_finished(), "a scan in work was given up");
    let verdict = Verdict::Failed("late but there".to_owned());
    let scan_time = Duration::ZERO;
    queue
        .complete(claim, Completion { verdict, scan_time })
        .unwrap();
    let mut first = String::new();
    taken.read_to_string(&mut first).await.unwrap();
    assert!(first.contains("late but there"), "{first}");
    let mut second = String::new();
    other.read_to_string(&mut second).await.unwrap();
    assert!(second.starts_with("HTTP/1.1 503"), "{second}");
    assert!(second.contains("is stopping"), "{second}");
    assert!(stopping.await.unwrap() < Duration::from_secs(5));
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
