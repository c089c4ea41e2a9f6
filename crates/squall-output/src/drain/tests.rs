use std::path::Path;

use squall_report::syslog::{Form, Head};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{TcpListener, UdpSocket};
use tokio::time::timeout;

use super::*;
use crate::config::{Framing, SyslogTarget, Transport, WebhookTarget};
use crate::health::OutputHealth;
use crate::spool::SpoolConfig;

const PATIENCE: Duration = Duration::from_secs(60);

fn spool(dir: &Path) -> Arc<Spool> {
    let config = SpoolConfig {
        dir: dir.to_owned(),
        bytes_max: 1 << 20,
        durable: false,
    };
    let health = Arc::new(OutputHealth::new("test"));
    Arc::new(Spool::open(config, health).expect("opens"))
}

fn push(spool: &Spool, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let body = number.to_string().into_bytes();
        spool.append(1000, None, &[body]).expect("takes");
    }
}

fn start(
    spool: &Arc<Spool>,
    port: u16,
    transport: Transport,
) -> (CancellationToken, tokio::task::JoinHandle<()>) {
    let stop = CancellationToken::new();
    let target = Target::Syslog(SyslogTarget {
        host: "127.0.0.1".to_owned(),
        port,
        form: Form::Text,
        head: Head::Rfc5424,
        transport,
        framing: Framing::LineFeed,
        message_bytes_max: 8192,
    });
    let letters = DeadLetters::new(spool.dir(), 1 << 20);
    let spool = Arc::clone(spool);
    let deliveries = Deliveries::new(None, &target);
    let drain = Drain::new(
        target,
        Trust::nobody(),
        spool,
        letters,
        deliveries,
        stop.clone(),
    );
    (stop, tokio::spawn(drain.run()))
}

/// Takes a connection and reads lines from it, `count` at most.
async fn take(listener: &TcpListener, count: usize) -> Vec<u32> {
    let accepted = timeout(PATIENCE, listener.accept()).await;
    let (stream, _) = accepted.expect("in time").expect("a connection");
    let mut lines = BufReader::new(stream).lines();
    let mut taken = Vec::new();
    while taken.len() < count {
        match timeout(Duration::from_secs(2), lines.next_line()).await {
            Ok(Ok(Some(line))) => taken.push(line.parse().expect("a number")),
            _ => break,
        }
    }
    taken
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_goes_away_gets_all_of_it_again() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let spool = spool(dir.path());
    push(&spool, 0..1000);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let port = listener.local_addr().expect("address").port();
    let (stop, task) = start(&spool, port, Transport::Tcp);
    // It reads some and is gone; the rest is in its buffer and lost.
    assert_eq!(take(&listener, 10).await, (0..10).collect::<Vec<_>>());
    push(&spool, 1000..1001);
    let again = take(&listener, 5000).await;
    assert_eq!(again, (0..=1000).collect::<Vec<_>>());
    stop.cancel();
    timeout(PATIENCE, task)
        .await
        .expect("in time")
        .expect("no panic");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_to_the_end_is_not_sent_again() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let port = listener.local_addr().expect("address").port();
    for round in 0..3 {
        let spool = spool(dir.path());
        push(&spool, round * 10..round * 10 + 10);
        let (stop, task) = start(&spool, port, Transport::Tcp);
        // Told to stop, it sends the rest first, and ends in order.
        stop_later(&stop);
        let taken = take(&listener, 5000).await;
        let expected: Vec<_> = (round * 10..round * 10 + 10).collect();
        assert_eq!(taken, expected, "round {round}");
        timeout(PATIENCE, task)
            .await
            .expect("in time")
            .expect("no panic");
    }
}

fn stop_later(stop: &CancellationToken) {
    let stop = stop.clone();
    tokio::spawn(async move {
        sleep(Duration::from_millis(300)).await;
        stop.cancel();
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn datagrams_wait_for_somebody_who_listens() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let spool = spool(dir.path());
    push(&spool, 0..100);
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("binds");
    let port = socket.local_addr().expect("address").port();
    drop(socket);
    let (stop, task) = start(&spool, port, Transport::Udp);
    sleep(Duration::from_secs(1)).await;
    let socket = UdpSocket::bind(("127.0.0.1", port)).await.expect("binds");
    let mut taken = Vec::new();
    let mut datagram = [0; 64];
    while taken.len() < 100 {
        let received = timeout(PATIENCE, socket.recv(&mut datagram)).await;
        let len = received.expect("in time").expect("a datagram");
        let text = str::from_utf8(&datagram[..len]).expect("text");
        taken.push(text.parse::<u32>().expect("a number"));
    }
    assert_eq!(taken, (0..100).collect::<Vec<_>>());
    stop.cancel();
    timeout(PATIENCE, task)
        .await
        .expect("in time")
        .expect("no panic");
    let again = Spool::open(
        SpoolConfig {
            dir: dir.path().to_owned(),
            bytes_max: 1 << 20,
            durable: false,
        },
        Arc::new(OutputHealth::new("test")),
    );
    assert_eq!(again.expect("opens").health().lag_bytes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_never_reads_does_not_keep_it_from_stopping() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let spool = spool(dir.path());
    let long = vec![b'x'; 100_000];
    for _ in 0..9 {
        spool
            .append(1000, None, std::slice::from_ref(&long))
            .expect("takes");
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let port = listener.local_addr().expect("address").port();
    let (stop, task) = start(&spool, port, Transport::Tcp);
    let _held = listener.accept().await.expect("a connection");
    sleep(Duration::from_millis(300)).await;
    stop.cancel();
    timeout(STOP_TIME_MAX * 3, task)
        .await
        .expect("in time")
        .expect("no panic");
    spool.rewind();
    assert!(spool.health().lag_bytes() > 900_000);
}

#[test]
fn what_cannot_be_put_aside_stays_in_the_spool() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let spool = spool(dir.path());
    push(&spool, 0..1);
    let target = Target::Webhook(WebhookTarget {
        url: "http://127.0.0.1:9/".to_owned(),
        label: "http://127.0.0.1:9".to_owned(),
        form: squall_report::forms::Form::V3,
        secrets: Vec::new(),
        tries_max: 1,
    });
    let letters = DeadLetters::new(spool.dir(), 1 << 20);
    let path = letters.path().to_owned();
    let mut drain = Drain::new(
        target.clone(),
        Trust::nobody(),
        Arc::clone(&spool),
        letters,
        Deliveries::new(None, &target),
        CancellationToken::new(),
    );
    let records = spool.read(spool.rewind(), BATCH_BYTES).expect("reads");
    let mut give_up = || {
        let refused = LinkError::Refused {
            status: 400,
            after: None,
            is_busy: false,
        };
        let delivery = drain.deliveries.begin(&records[0]);
        drain.give_up(&records[0], delivery, refused)
    };
    // The disk is full.
    std::os::unix::fs::symlink("/dev/full", &path).expect("links");
    for _ in 0..2 {
        assert!(matches!(give_up(), Err(DrainError::Letters(_))));
        assert_eq!(spool.health().dropped(), 0);
    }
    std::fs::remove_file(&path).expect("removes");
    give_up().expect("it is put aside");
    assert_eq!(spool.health().dropped(), 1);
    let written = std::fs::read_to_string(&path).expect("a file");
    assert_eq!(written.lines().count(), 1);
}
