//! Settings on how samples come in and where they are kept.

use super::super::kind::Kind;
use super::{Section, Setting};

/// Where the service listens.
pub(super) const LISTENING: Section = Section {
    heading: "Listening",
    settings: &[
        Setting::new(
            "server-host",
            Kind::Host,
            "127.0.0.1",
            "Address or host name to listen on; 0.0.0.0 for every IPv4 address, :: for every address.",
        )
        .or(&["host"]),
        Setting::new(
            "server-port",
            Kind::Integer { min: 0, max: 65_535 },
            "8080",
            "TCP port to listen on; 0 takes any free one.",
        )
        .or(&["port"]),
        Setting::new(
            "admin-listen",
            Kind::Endpoint,
            "",
            "Address and port of a second listener, for administrators, readers and the console, with the same certificate. What collectors do not need is to be had there only then.",
        ),
        Setting::new(
            "server-cert",
            Kind::Path,
            "",
            "Certificate chain (PEM) for HTTPS, with server-key; `auto` makes and keeps a self-signed one. Without it the service speaks plain HTTP.",
        )
        .or(&["cert"]),
        Setting::new(
            "server-key",
            Kind::Path,
            "",
            "Private key (PEM) of server-cert.",
        )
        .or(&["key"]),
    ],
};

/// Who sent a sample.
pub(super) const SENDERS: Section = Section {
    heading: "Senders",
    settings: &[
        Setting::new(
            "trusted-proxy",
            Kind::Networks,
            "",
            "Proxy, as address or network (10.0.0.5), whose X-Forwarded-For and Forwarded headers are believed. Repeatable.",
        ),
        Setting::new(
            "analyst",
            Kind::Networks,
            "",
            "Address or network (10.0.0.0/8) that may write signatures and trust files through the API and the console, and see kept samples, settings and the log; this machine always may. Where tokens are needed, their role says so instead. Repeatable.",
        ),
        Setting::new(
            "reverse-dns",
            Kind::Flag,
            "true",
            "Show a sender that names no source by its host name instead of its address.",
        ),
        Setting::new(
            "resolve-timeout",
            Kind::Duration {
                min_ms: 1,
                max_ms: 200,
            },
            "200ms",
            "Longest time a host name is waited for.",
        ),
        Setting::new(
            "allowed-samples-per-hour",
            Kind::Integer {
                min: 0,
                max: 1_000_000_000,
            },
            "0",
            "Samples accepted in an hour from all senders together; more are answered with 503 and come back later. 0 for no limit.",
        ),
        Setting::new(
            "allowed-samples-per-hour-per-source",
            Kind::Integer {
                min: 0,
                max: 1_000_000_000,
            },
            "0",
            "Samples accepted in an hour from one source; 0 for no limit.",
        ),
    ],
};

/// What bounds the intake.
pub(super) const LIMITS: Section = Section {
    heading: "Limits",
    settings: &[
        Setting::new(
            "max_file_size",
            Kind::Size { min: 1 },
            "200MB",
            "Largest sample; a larger upload is answered with 413.",
        )
        .or(&["max-file-size"])
        .or_in_file(&["file-size-limit"]),
        Setting::new(
            "max-uploads",
            Kind::Integer {
                min: 1,
                max: 100_000,
            },
            "256",
            "Uploads received at the same time; more are answered with 503 and come back later.",
        ),
        Setting::new(
            "max-connections",
            Kind::Integer {
                min: 1,
                max: 1_000_000,
            },
            "4096",
            "Connections open at the same time; more are answered with 503.",
        ),
        Setting::new(
            "max-bytes-in-flight",
            Kind::Size { min: 0 },
            "4G",
            "Bytes of uploads announced or received that are not in the queue yet; more are answered with 503. One upload alone may be larger. 0 for no limit.",
        ),
        Setting::new(
            "max-waiting-checks",
            Kind::Integer {
                min: 1,
                max: 1_000_000,
            },
            "1024",
            "Synchronous checks that may wait for a scan thread; more are answered with 503.",
        ),
        Setting::new(
            "header-timeout",
            Kind::Duration {
                min_ms: 1,
                max_ms: HOUR_MS,
            },
            "10s",
            "Longest time for the head of a request to arrive.",
        ),
        Setting::new(
            "body-timeout",
            Kind::Duration {
                min_ms: 1,
                max_ms: HOUR_MS,
            },
            "30s",
            "Longest pause in an upload before it is cut off.",
        ),
        Setting::new(
            "idle-timeout",
            Kind::Duration {
                min_ms: 1,
                max_ms: 24 * HOUR_MS,
            },
            "60s",
            "How long a connection may stay open between two requests.",
        ),
    ],
};

/// What is kept on disk.
pub(super) const STORAGE: Section = Section {
    heading: "Storage",
    settings: &[
        Setting::new(
            "data-dir",
            Kind::Path,
            "./squall-data",
            "Directory for all that the service keeps.",
        ),
        Setting::new(
            "queue-storage",
            Kind::Path,
            "",
            "Directory of the queue and the results [default: `queue` in data-dir].",
        ),
        Setting::new(
            "queue-durability",
            Kind::Choice(&["fsync", "buffered"]),
            "fsync",
            "When a queued sample is acknowledged. fsync: once it is on disk, so it survives a power cut; buffered: once the system has it, so it survives a crash of the service only.",
        ),
        Setting::new(
            "queue-warn-size",
            Kind::Integer { min: 0, max: 1_000_000_000 },
            "50000",
            "Warn in the log when more samples than this wait; 0 for never.",
        ),
        Setting::new(
            "queue-max-samples",
            Kind::Integer { min: 0, max: 1_000_000_000 },
            "1000000",
            "Samples that may wait; more are answered with 503. 0 for no limit.",
        ),
        Setting::new(
            "queue-max-bytes",
            Kind::Size { min: 0 },
            "0",
            "Bytes of samples in the queue, failed ones included; more are answered with 503. 0 for nine tenths of the disk.",
        ),
        Setting::new(
            "disk-reserve",
            Kind::Size { min: 0 },
            "500MB",
            "Free space to leave on the disk, at least 8MB; below it samples are answered with 503.",
        ),
        Setting::new(
            "server-result-cache-size",
            Kind::Integer { min: 0, max: 1_000_000_000 },
            "250000",
            "Results of queued samples kept for getAsyncResults, the oldest going first; 0 keeps none. Of failed samples as many, and at least 1000.",
        )
        .or(&["result-cache-size"]),
        Setting::new(
            "server-store-samples",
            Kind::Choice(&["none", "malicious", "all"]),
            "none",
            "Samples kept after the scan: none, malicious (Warning or Alert) or all.",
        ),
        Setting::new(
            "store-samples-score",
            Kind::Integer { min: 0, max: 1_000_000 },
            "200",
            "Keep samples with at least this score as well; a score never exceeds 100, so 200 adds none.",
        ),
        Setting::new(
            "server-upload-dir",
            Kind::Path,
            "",
            "Directory for samples that are kept [default: `samples` in data-dir].",
        )
        .or(&["upload-dir"]),
        Setting::new(
            "store-samples-max-bytes",
            Kind::Size { min: 0 },
            "10GB",
            "Bytes of kept samples above which those not seen for longest go, as they do where less than twice disk-reserve would be free; 0 for no other limit.",
        ),
        Setting::new(
            "store-samples-max-age",
            Kind::Integer { min: 0, max: 36_500 },
            "0",
            "Days after which a kept sample that was not seen again goes; 0 for never.",
        ),
    ],
};

/// Milliseconds in an hour.
const HOUR_MS: u64 = 3_600_000;
