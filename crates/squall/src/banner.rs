//! What is printed on the terminal besides log lines and findings.

use std::io::Write as _;
use std::net::SocketAddr;

use squall_types::SignatureSummary;

use crate::config::settings::{Listen, Settings};
use crate::wiring::Addresses;

/// Prints lines to standard output. A terminal that is gone is not an error.
pub(crate) fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.write_all(if text.ends_with('\n') { b"" } else { b"\n" }))
        .and_then(|()| stdout.flush());
}

/// Prints lines to standard error, for what is not to be mixed with results.
pub(crate) fn aside(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Prints a line to standard error.
pub(crate) fn error(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "squall: {text}");
}

/// Where the service is, as a client would type it.
pub(crate) struct Urls {
    /// For collectors.
    main: String,
    /// For everybody else.
    console: String,
}

impl Urls {
    pub(crate) fn of(listen: &Listen, addresses: &Addresses) -> Self {
        let main = base_url(listen, addresses.main);
        let admin = addresses.admin.map(|address| base_url(listen, address));
        Self {
            console: admin.unwrap_or_else(|| main.clone()),
            main,
        }
    }
}

fn base_url(listen: &Listen, bound: SocketAddr) -> String {
    let scheme = if listen.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let host = if bound.ip().is_unspecified() {
        "127.0.0.1".to_owned()
    } else if bound.is_ipv6() {
        format!("[{}]", bound.ip())
    } else {
        bound.ip().to_string()
    };
    format!("{scheme}://{host}:{}", bound.port())
}

/// Returns what a newcomer needs to know once the service is ready.
pub(crate) fn ready(settings: &Settings, urls: &Urls, signatures: &SignatureSummary) -> String {
    let Urls { main: url, console } = urls;
    let insecure = if url.starts_with("https") { " -k" } else { "" };
    let set = if settings.signatures.builtin {
        "starter set"
    } else {
        "own set"
    };
    let skipped = match signatures.skipped {
        0 => String::new(),
        n => format!(", {n} skipped (see the log)"),
    };
    format!(
        "\n  Squall {version} listens on {url}\n\n\
         \x20 signatures  {rules} rules and {iocs} IOCs loaded{skipped} ({set}, {engine})\n\
         \x20 workers     {threads} threads\n\
         \x20 data        {data}\n\n\
         \x20 Try it:     curl{insecure} -F file=@/path/to/a/file '{url}/api/check?pretty=true'\n\
         \x20 Look:       {console}/\n",
        version = env!("CARGO_PKG_VERSION"),
        rules = signatures.rules,
        iocs = signatures.iocs,
        engine = signatures.engine,
        threads = settings.workers.threads,
        data = settings.data_dir.display(),
    )
}
