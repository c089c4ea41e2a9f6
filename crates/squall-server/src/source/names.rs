//! Reverse lookups that never hold an answer back.
//!
//! A lookup runs on its own, once for all who ask, and its answer, good or
//! bad, is remembered for a while. Those who ask wait a moment for it and go
//! on without it; it still serves the next request.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::{Resolver, TokioResolver};
use tokio::sync::{Semaphore, watch};

/// Longest time that an answer may wait for a name.
pub(crate) const RESOLVE_TIMEOUT_MAX: Duration = Duration::from_millis(200);
/// Longest time a lookup runs.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a name is remembered, whatever the name server says.
const NAME_TTL: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(3600);
/// How long it is remembered that an address has no name.
const NO_NAME_TTL: Duration = Duration::from_secs(300);
/// Most addresses that are remembered.
const ADDRESSES_MAX: usize = 10_000;
/// Most lookups at the same time; beyond it addresses stay without a name.
const LOOKUPS_MAX: usize = 64;
/// Longest host name there is.
const NAME_LEN_MAX: usize = 253;

/// How host names of senders are found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ReverseLookup {
    /// They are not: a sender that names no source is known by its address.
    Off,
    /// As the system's resolver configuration says.
    #[default]
    System,
    /// By asking this name server only.
    Server(SocketAddr),
}

/// `None` while the lookup runs, then the name if there is one.
type Answer = Option<Option<String>>;

#[derive(Debug)]
pub(super) struct Names {
    lookup: ReverseLookup,
    /// Longest time an answer waits.
    timeout: Duration,
    /// Made at the first use, since it needs the runtime.
    resolver: OnceLock<Option<TokioResolver>>,
    cache: Mutex<Cache>,
    slots: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Cache {
    entries: HashMap<IpAddr, Entry>,
    /// The keys, oldest first; that one goes when there are too many.
    order: VecDeque<IpAddr>,
}

#[derive(Debug)]
struct Entry {
    answer: watch::Receiver<Answer>,
    /// When it is forgotten; set for good when the answer is there.
    until: Instant,
}

impl Names {
    pub(super) fn new(lookup: &ReverseLookup, timeout: Duration) -> Option<Self> {
        (*lookup != ReverseLookup::Off).then(|| Self {
            lookup: lookup.clone(),
            timeout: timeout.min(RESOLVE_TIMEOUT_MAX),
            resolver: OnceLock::new(),
            cache: Mutex::default(),
            slots: Arc::new(Semaphore::new(LOOKUPS_MAX)),
        })
    }

    /// Returns the host name of `address`, if it is known in time.
    pub(super) async fn name(self: &Arc<Self>, address: IpAddr) -> Option<String> {
        let mut answer = self.answer(address)?;
        let known = tokio::time::timeout(self.timeout, answer.wait_for(Option::is_some));
        known.await.ok()?.ok()?.clone().flatten()
    }

    /// Returns the answer for `address`, there or on its way.
    fn answer(self: &Arc<Self>, address: IpAddr) -> Option<watch::Receiver<Answer>> {
        let mut cache = crate::lock(&self.cache);
        let now = Instant::now();
        if let Some(entry) = cache.entries.get(&address)
            && entry.until > now
        {
            return Some(entry.answer.clone());
        }
        let slot = Arc::clone(&self.slots).try_acquire_owned().ok()?;
        let (sender, answer) = watch::channel(None);
        cache.insert(address, answer.clone(), now + LOOKUP_TIMEOUT * 2);
        drop(cache);
        let names = Arc::clone(self);
        tokio::spawn(async move {
            let (name, ttl) = names.look_up(address).await;
            if let Some(entry) = crate::lock(&names.cache).entries.get_mut(&address) {
                entry.until = Instant::now() + ttl;
            }
            let _ = sender.send(Some(name));
            drop(slot);
        });
        Some(answer)
    }

    async fn look_up(&self, address: IpAddr) -> (Option<String>, Duration) {
        let resolver = self.resolver.get_or_init(|| resolver(&self.lookup));
        let Some(resolver) = resolver else {
            return (None, NO_NAME_TTL);
        };
        let lookup = tokio::time::timeout(LOOKUP_TIMEOUT, resolver.reverse_lookup(address));
        let Ok(Ok(lookup)) = lookup.await else {
            return (None, NO_NAME_TTL);
        };
        let ttl = lookup
            .valid_until()
            .saturating_duration_since(Instant::now());
        let name = lookup
            .answers()
            .iter()
            .find_map(|record| match &record.data {
                RData::PTR(name) => host_name(&name.to_ascii()),
                _ => None,
            });
        match name {
            Some(name) => (Some(name), ttl.clamp(*NAME_TTL.start(), *NAME_TTL.end())),
            None => (None, NO_NAME_TTL),
        }
    }
}

impl Cache {
    fn insert(&mut self, address: IpAddr, answer: watch::Receiver<Answer>, until: Instant) {
        let entry = Entry { answer, until };
        if self.entries.insert(address, entry).is_some() {
            return;
        }
        self.order.push_back(address);
        if self.order.len() > ADDRESSES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }
}

/// Accepts only what a host may be called: the answer comes from whoever owns
/// the sender's address.
fn host_name(text: &str) -> Option<String> {
    let name = text.trim_end_matches('.');
    let plausible = !name.is_empty()
        && name.len() <= NAME_LEN_MAX
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    plausible.then(|| name.to_ascii_lowercase())
}

fn resolver(lookup: &ReverseLookup) -> Option<TokioResolver> {
    let builder = match lookup {
        ReverseLookup::Off => return None,
        ReverseLookup::System => Resolver::builder_tokio(),
        ReverseLookup::Server(address) => {
            let mut connection = ConnectionConfig::udp();
            connection.port = address.port();
            let server = NameServerConfig::new(address.ip(), true, vec![connection]);
            Ok(Resolver::builder_with_config(
                ResolverConfig::from_name_servers(vec![server]),
                TokioRuntimeProvider::default(),
            )
            .with_options(without_hosts_file()))
        }
    };
    let resolver = builder.and_then(hickory_resolver::ResolverBuilder::build);
    resolver
        .inspect_err(|error| {
            tracing::warn!(%error, "no host names: the resolver cannot be set up");
        })
        .ok()
}

fn without_hosts_file() -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.use_hosts_file = ResolveHosts::Never;
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_host_names_are_accepted() {
        assert_eq!(
            host_name("Web-01.Example.org."),
            Some("web-01.example.org".to_owned())
        );
        for name in ["", ".", "a b", "a\\000b", "<b>", &"x".repeat(254)] {
            assert_eq!(host_name(name), None, "{name:?}");
        }
    }

    #[test]
    fn the_cache_forgets_the_oldest() {
        let mut cache = Cache::default();
        let (_sender, answer) = watch::channel(None);
        for n in 0..u32::try_from(ADDRESSES_MAX).unwrap() + 5 {
            let address = IpAddr::from(n.to_be_bytes());
            cache.insert(address, answer.clone(), Instant::now());
            cache.insert(address, answer.clone(), Instant::now());
        }
        assert_eq!(cache.entries.len(), ADDRESSES_MAX);
        assert_eq!(cache.order.len(), ADDRESSES_MAX);
        assert!(!cache.entries.contains_key(&IpAddr::from([0, 0, 0, 4])));
    }

    /// Answers every query with one PTR record and counts the queries.
    async fn name_server(name: &'static str) -> (SocketAddr, Arc<std::sync::atomic::AtomicUsize>) {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let queries = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = Arc::clone(&queries);
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            while let Ok((_, peer)) = socket.recv_from(&mut buffer).await {
                counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let reply = ptr_reply(&buffer, name);
                socket.send_to(&reply, peer).await.unwrap();
            }
        });
        (address, queries)
    }

    fn ptr_reply(query: &[u8], name: &str) -> Vec<u8> {
        let name_len = query[12..].iter().position(|&byte| byte == 0).unwrap();
        let question_end = 12 + name_len + 1 + 4;
        let mut reply = query[..2].to_vec();
        reply.extend([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
        reply.extend(&query[12..question_end]);
        let mut rdata = Vec::new();
        for label in name.split('.') {
            rdata.push(u8::try_from(label.len()).unwrap());
            rdata.extend(label.as_bytes());
        }
        rdata.push(0);
        reply.extend([0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 60, 0, rdata.len() as u8]);
        reply.extend(rdata);
        reply
    }

    #[tokio::test]
    async fn a_name_is_looked_up_once() {
        let (address, queries) = name_server("host-7.example.org").await;
        let names =
            Arc::new(Names::new(&ReverseLookup::Server(address), RESOLVE_TIMEOUT_MAX).unwrap());
        let sender = IpAddr::from([192, 0, 2, 7]);
        let (a, b) = tokio::join!(names.name(sender), names.name(sender));
        assert_eq!(a.as_deref(), Some("host-7.example.org"));
        assert_eq!(b, a);
        assert_eq!(names.name(sender).await, a);
        assert_eq!(queries.load(std::sync::atomic::Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_silent_name_server_costs_a_moment_only() {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = ReverseLookup::Server(socket.local_addr().unwrap());
        let names = Arc::new(Names::new(&server, RESOLVE_TIMEOUT_MAX).unwrap());
        let begun = Instant::now();
        assert_eq!(names.name(IpAddr::from([192, 0, 2, 8])).await, None);
        assert!(
            begun.elapsed() < Duration::from_secs(1),
            "{:?}",
            begun.elapsed()
        );
    }
}
