//! The thread that sends spans to the collector.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{Request, Response, Uri};
use opentelemetry::KeyValue;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, RetryPolicy, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use tokio::runtime;

use crate::{TraceConfig, TraceError, TraceHealth};

/// The path of the specification, where an address has none.
const PATH: &str = "/v1/traces";
/// Spans of a request at most.
const BATCH_LEN: usize = 512;
/// How long a span waits for others to be sent with.
const BATCH_TIME: Duration = Duration::from_secs(1);
/// The longest time for one request, and for all tries with one batch.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const BATCH_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer: it says what was not taken.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How long nothing is said about failures after one was told.
const TELL_INTERVAL: Duration = Duration::from_secs(30);
/// How often it is looked whether to stop.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Ends the thread.
#[derive(Debug, Default)]
pub(crate) struct Stop(AtomicBool);

impl Stop {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Starts the thread.
pub(crate) fn start(
    config: &TraceConfig,
    receiver: Receiver<SpanData>,
    health: Arc<TraceHealth>,
    stop: Arc<Stop>,
) -> Result<JoinHandle<()>, TraceError> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(TraceError::Thread)?;
    let exporter = exporter(config)?;
    let sending = Sending {
        runtime,
        exporter,
        receiver,
        health,
        stop,
        told: None,
        failing: false,
    };
    Builder::new()
        .name("traces".to_owned())
        .spawn(move || sending.run())
        .map_err(TraceError::Thread)
}

fn exporter(config: &TraceConfig) -> Result<opentelemetry_otlp::SpanExporter, TraceError> {
    // Fails only where one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut client = reqwest::Client::builder()
        .user_agent(concat!("squall/", env!("CARGO_PKG_VERSION")))
        // Headers with secrets go where the setting says.
        .redirect(reqwest::redirect::Policy::none())
        .timeout(REQUEST_TIMEOUT);
    if let Some(path) = &config.ca {
        let pem = std::fs::read(path).map_err(|source| TraceError::Ca {
            path: path.clone(),
            source,
        })?;
        let own = reqwest::Certificate::from_pem_bundle(&pem).map_err(TraceError::Client)?;
        client = client.tls_certs_only(own);
    }
    let client = client.build().map_err(TraceError::Client)?;
    let mut exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(Client(client))
        .with_endpoint(endpoint(&config.endpoint)?)
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(BATCH_TIMEOUT)
        .with_retry_policy(RetryPolicy::default())
        .with_headers(config.headers.iter().cloned().collect())
        .build()
        .map_err(TraceError::Exporter)?;
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", "squall"),
            KeyValue::new("service.version", config.version),
            KeyValue::new("service.instance.id", config.instance.clone()),
        ])
        .build();
    exporter.set_resource(&resource);
    Ok(exporter)
}

/// Returns the address with the path of the specification, where it has none.
fn endpoint(text: &str) -> Result<String, TraceError> {
    let uri: Uri = text.parse().map_err(TraceError::Endpoint)?;
    Ok(match uri.path() {
        "" | "/" => format!("{}{PATH}", text.trim_end_matches('/')),
        _ => text.to_owned(),
    })
}

struct Sending {
    runtime: runtime::Runtime,
    exporter: opentelemetry_otlp::SpanExporter,
    receiver: Receiver<SpanData>,
    health: Arc<TraceHealth>,
    stop: Arc<Stop>,
    /// When a failure was told last.
    told: Option<Instant>,
    failing: bool,
}

impl Sending {
    fn run(mut self) {
        while let Some(batch) = self.next() {
            if !batch.is_empty() {
                self.send(batch);
            }
        }
    }

    /// Waits for spans. Returns `None` when there is nothing left to send.
    fn next(&self) -> Option<Vec<SpanData>> {
        let mut batch = Vec::new();
        let mut deadline = None;
        loop {
            match self.receiver.recv_timeout(LOOK_INTERVAL) {
                Ok(span) => {
                    batch.push(span);
                    let due = *deadline.get_or_insert_with(|| Instant::now() + BATCH_TIME);
                    if batch.len() >= BATCH_LEN || Instant::now() >= due {
                        return Some(batch);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return (!batch.is_empty()).then_some(batch);
                }
                Err(RecvTimeoutError::Timeout) if self.stop.is_set() => {
                    return (!batch.is_empty()).then_some(batch);
                }
                Err(RecvTimeoutError::Timeout) => {
                    if deadline.is_some_and(|due| Instant::now() >= due) {
                        return Some(batch);
                    }
                }
            }
        }
    }

    fn send(&mut self, batch: Vec<SpanData>) {
        let count = batch.len() as u64;
        match self.runtime.block_on(self.exporter.export(batch)) {
            Ok(()) => {
                self.health.sent.fetch_add(count, Ordering::Relaxed);
                if std::mem::take(&mut self.failing) {
                    tracing::info!("traces are taken again");
                    self.told = None;
                }
            }
            Err(error) => {
                self.health.failed.fetch_add(count, Ordering::Relaxed);
                self.failing = true;
                if self.told.is_none_or(|told| told.elapsed() > TELL_INTERVAL) {
                    self.told = Some(Instant::now());
                    tracing::warn!(%error, spans = count, "the collector does not take traces");
                }
            }
        }
    }
}

/// Sends requests for the exporter.
struct Client(reqwest::Client);

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl HttpClient for Client {
    fn send_bytes<'me, 'future>(
        &'me self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'future>>
    where
        'me: 'future,
        Self: 'future,
    {
        Box::pin(async move {
            let request = reqwest::Request::try_from(request)?;
            // What is logged of an error names no address: it may hold a secret.
            let sent = self.0.execute(request).await;
            let mut answer = sent.map_err(reqwest::Error::without_url)?;
            let status = answer.status();
            let mut body = BytesMut::new();
            while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
                if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                    return Err("the answer is too long".into());
                }
                body.extend_from_slice(&chunk);
            }
            let mut response = Response::new(body.freeze());
            *response.status_mut() = status;
            Ok(response)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_path_gets_that_of_the_specification() {
        for (text, expected) in [
            ("http://collector:4318", "http://collector:4318/v1/traces"),
            ("http://collector:4318/", "http://collector:4318/v1/traces"),
            ("https://c/otlp/traces", "https://c/otlp/traces"),
        ] {
            assert_eq!(endpoint(text).expect("an address"), expected);
        }
        assert!(endpoint("http://a b/").is_err());
    }
}
