use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;
use std::time::Duration;

use squall_queue::{Body, Lanes, Queue, QueueConfig};
use squall_trace::{Exporter, TraceConfig};

use super::*;

fn id() -> SampleId {
    SampleId::new(7).expect("an id")
}

#[test]
fn a_panic_fails_the_sample_with_its_message_and_spoils_the_scanner() {
    for (job, reason) in [
        (
            (|| panic!("of a literal")) as fn() -> End,
            "the scan panicked: of a literal",
        ),
        (|| panic!("number {}", 5), "the scan panicked: number 5"),
        (|| std::panic::panic_any(5), "the scan panicked: no message"),
    ] {
        let done = caught(id(), job);
        assert!(done.scanner_spoiled);
        match done.end {
            End::Verdict(Verdict::Failed(text)) => assert_eq!(text, reason),
            end => panic!("{end:?}"),
        }
    }
}

#[test]
fn a_job_that_ends_in_order_keeps_its_scanner() {
    let done = caught(id(), || End::Verdict(Verdict::Complete(vec![1])));
    assert!(!done.scanner_spoiled);
    assert!(matches!(done.end, End::Verdict(Verdict::Complete(result)) if result == [1]));
}

/// A claim on a sample in a queue of its own.
fn claim(queue: &Queue) -> Claim {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let submission = stored::encode_submission(&Submission {
        nonce: [7; 12],
        file_name: "/srv/bad.bin".to_owned(),
        ..Submission::default()
    });
    let body = Body::from_bytes(b"content".to_vec());
    let queued = queue.enqueue(body, submission, "source");
    runtime.unwrap().block_on(queued).unwrap();
    queue.claim(Lanes::All, 0).unwrap()
}

#[test]
fn a_panic_ends_the_trace_of_its_sample_with_an_error() {
    let collector = Collector::start();
    let exporter = collector.exporter();
    let dir = tempfile::tempdir().unwrap();
    let (queue, _) = Queue::open(QueueConfig::new(dir.path())).unwrap();
    let (sinks, outcomes) = (Sinks::default(), OutcomeCounts::default());
    let in_flight = InFlight::new(Duration::from_secs(60));
    let context = Context {
        sinks: &sinks,
        keeper: None,
        scan_id: "S-0123456789a",
        signature_version: "2026/11/30-000000",
        outcomes: &outcomes,
        known: None,
        in_flight: &in_flight,
        recent: None,
        tracer: Some(exporter.tracer()),
    };
    let done = guarded(&claim(&queue), &context, || panic!("at byte 7"));
    assert!(done.scanner_spoiled);
    exporter.stop(Duration::from_secs(20));
    let spans = collector.received();
    assert!(has(&spans, b"scan") && has(&spans, b"/srv/bad.bin"));
    // The status of a span in OTLP: its message, and the code of an error.
    let message = b"the scan panicked: at byte 7";
    let length = u8::try_from(message.len()).unwrap();
    let status = [&[0x12, length], message.as_slice(), &[0x18, 2]].concat();
    assert!(has(&spans, &status), "{}", String::from_utf8_lossy(&spans));
}

fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Takes what is sent to it in one request.
struct Collector {
    endpoint: String,
    taking: JoinHandle<Vec<u8>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let taking = std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let line = line.trim().to_ascii_lowercase();
                if line.is_empty() {
                    break;
                }
                if let Some(text) = line.strip_prefix("content-length:") {
                    length = text.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer).unwrap();
            body
        });
        Self { endpoint, taking }
    }

    fn exporter(&self) -> Exporter {
        let config = TraceConfig {
            endpoint: self.endpoint.clone(),
            headers: Vec::new(),
            ca: None,
            ratio: 1.0,
            instance: "test".to_owned(),
            version: "0",
        };
        Exporter::start(&config).unwrap()
    }

    fn received(self) -> Vec<u8> {
        self.taking.join().unwrap()
    }
}

#[test]
fn only_damage_is_final() {
    let memory = BodyError::Memory { id: id(), len: 5 };
    match unreadable(&memory) {
        End::Later(reason) => assert!(reason.contains("no memory for the 5 bytes"), "{reason}"),
        end => panic!("{end:?}"),
    }
    let damaged = BodyError::Damaged {
        id: id(),
        detail: "another checksum".to_owned(),
    };
    match unreadable(&damaged) {
        End::Verdict(Verdict::Failed(reason)) => {
            assert!(reason.contains("another checksum"), "{reason}");
        }
        end => panic!("{end:?}"),
    }
}
