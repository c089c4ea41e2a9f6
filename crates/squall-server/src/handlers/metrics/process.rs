//! What the system says of this process, under the names that every exporter
//! gives it. Read by hand: what reads all of `/proc` brings other features of a
//! crate that the engine shares.

use std::fs;

use jiff::Timestamp;
use rustix::process::{Resource, getrlimit};

use crate::metrics::{Snapshot, float};

/// Adds what the system tells; where it tells nothing, in a sandbox for
/// instance, nothing.
pub(super) fn add(snapshot: &mut Snapshot, started: Timestamp) {
    // The system's own figure needs the time of its start, which the sandbox of
    // the unit hides.
    snapshot.gauge(
        "process_start_time_seconds",
        "When the service was started, in seconds since 1970.",
        started.as_duration().as_secs_f64(),
    );
    let stat = fs::read_to_string("/proc/self/stat").ok();
    if let Some(stat) = stat.as_deref().and_then(Stat::parse) {
        add_stat(snapshot, &stat);
    }
    if let Ok(descriptors) = fs::read_dir("/proc/self/fd") {
        snapshot.gauge(
            "process_open_fds",
            "Open file descriptors.",
            float(descriptors.count() as u64),
        );
    }
    snapshot.gauge(
        "process_max_fds",
        "Most file descriptors.",
        getrlimit(Resource::Nofile)
            .current
            .map_or(f64::INFINITY, float),
    );
}

fn add_stat(snapshot: &mut Snapshot, stat: &Stat) {
    snapshot.counter_of(
        "process_cpu_seconds_total",
        "Processor time, of the program and of the system for it.",
        float(stat.cpu_ticks) / float(rustix::param::clock_ticks_per_second()),
    );
    let page_size = rustix::param::page_size() as u64;
    snapshot.gauge(
        "process_resident_memory_bytes",
        "Memory that is resident.",
        float(stat.resident_pages.saturating_mul(page_size)),
    );
    snapshot.gauge(
        "process_virtual_memory_bytes",
        "Memory that is addressed.",
        float(stat.virtual_bytes),
    );
    snapshot.gauge("process_threads", "Threads.", float(stat.threads));
}

/// What is of interest of `/proc/self/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    cpu_ticks: u64,
    threads: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    /// Reads the fields by their numbers in proc(5).
    fn parse(text: &str) -> Option<Self> {
        // The second is the name, in brackets, and may hold brackets and spaces.
        let (_, fields) = text.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu_ticks: field(14)?.saturating_add(field(15)?),
            threads: field(20)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_any_name() {
        let text = "7 (a) b) S 1 7 7 0 -1 4194560 900 0 0 0 11 22 0 0 20 0 33 0 99 4400 55 18446744073709551615";
        let stat = Stat {
            cpu_ticks: 33,
            threads: 33,
            virtual_bytes: 4400,
            resident_pages: 55,
        };
        assert_eq!(Stat::parse(text), Some(stat));
        for wrong in ["", "7 (a", "7 (a) S 1", "7 (a) S x"] {
            assert_eq!(Stat::parse(wrong), None);
        }
        let own = fs::read_to_string("/proc/self/stat").unwrap();
        assert!(Stat::parse(&own).unwrap().threads >= 1);
    }
}
