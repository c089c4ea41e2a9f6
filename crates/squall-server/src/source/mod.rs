//! Says who sent a request: the name the sender gives, else the host name of
//! its address, else the address.

mod forwarded;
mod names;
mod network;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::query::Query;
pub(crate) use forwarded::client_address;
use names::Names;
pub(crate) use names::RESOLVE_TIMEOUT_MAX;
pub use names::ReverseLookup;
pub use network::{Network, NetworkError};

/// Longest source and collector run that is kept, in characters.
const SOURCE_CHARS_MAX: usize = 1024;
/// Longest id of a collector run that is believed.
const COLLECTOR_RUN_LEN_MAX: usize = 128;

/// What a request says of its sender.
pub(crate) struct Sender {
    /// The address, after trusted proxies.
    pub(crate) address: IpAddr,
    /// The source it names.
    named: Option<String>,
    /// The collector run it names.
    pub(crate) collector_run: Option<String>,
}

impl Sender {
    /// Reads what a request says.
    pub(crate) fn of(address: IpAddr, query: &Query) -> Self {
        Self {
            address,
            named: query.first("source").and_then(clean_source),
            collector_run: query.first("scan_id").and_then(clean_collector_run),
        }
    }

    /// Returns what its samples are counted under before its name is known.
    pub(crate) fn quota_key(&self) -> String {
        let address = || self.address.to_string();
        self.named.clone().unwrap_or_else(address)
    }
}

/// Finds the names of senders.
#[derive(Debug, Clone)]
pub(crate) struct Sources(Option<Arc<Names>>);

impl Sources {
    /// Makes the finder; it reads no system configuration before it is used.
    pub(crate) fn new(lookup: &ReverseLookup, timeout: Duration) -> Self {
        Self(Names::new(lookup, timeout).map(Arc::new))
    }

    /// Returns the source of a request, within 200 ms at most.
    pub(crate) async fn identify(&self, sender: &Sender) -> String {
        if let Some(named) = &sender.named {
            return named.clone();
        }
        let name = match &self.0 {
            Some(names) => names.name(sender.address).await,
            None => None,
        };
        name.unwrap_or_else(|| sender.address.to_string())
    }
}

fn clean_source(source: &str) -> Option<String> {
    let source = source.trim();
    (!source.is_empty()).then(|| source.chars().take(SOURCE_CHARS_MAX).collect())
}

/// A run's id was made by this service; what cannot be one is dropped.
fn clean_collector_run(run: &str) -> Option<String> {
    let plausible = !run.is_empty()
        && run.len() <= COLLECTOR_RUN_LEN_MAX
        && run.bytes().all(|byte| byte.is_ascii_graphic());
    plausible.then(|| run.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_trimmed_and_cut() {
        assert_eq!(clean_source("  web-01 "), Some("web-01".to_owned()));
        assert_eq!(clean_source(" "), None);
        let long = clean_source(&"é".repeat(5000)).unwrap();
        assert_eq!(long.chars().count(), SOURCE_CHARS_MAX);
    }

    #[test]
    fn a_run_that_cannot_be_one_is_dropped() {
        assert_eq!(clean_collector_run("S-1_x"), Some("S-1_x".to_owned()));
        for run in ["", "a b", "a\nb", "ä", &"x".repeat(129)] {
            assert_eq!(clean_collector_run(run), None, "{run:?}");
        }
    }
}
