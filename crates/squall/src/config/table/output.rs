//! Settings on what the service writes.

use super::super::kind::Kind;
use super::{Section, Setting};

/// Logs.
pub(super) const OUTPUTS: Section = Section {
    heading: "Outputs",
    settings: &[
        Setting::new(
            "logfile",
            Kind::Path,
            "",
            "File to append every finding to, as a line of text; opened anew on SIGHUP.",
        )
        .or_in_file(&["text", "log"]),
        Setting::new(
            "jsonfile",
            Kind::Path,
            "",
            "File to append every finding to, as a line of JSON; opened anew on SIGHUP.",
        )
        .or_in_file(&["json"]),
        Setting::new(
            "json-format",
            Kind::Choice(&["v3", "v1", "ecs", "ocsf"]),
            "v3",
            "How findings are written to `jsonfile`: in the v3 or the flat v1 log form, in Elastic Common Schema or as OCSF Detection Findings. The findings store reads v3 only.",
        ),
        Setting::new(
            "log-rotate-size",
            Kind::Size { min: 0 },
            "0",
            "Bytes from which on `logfile` and `jsonfile` are renamed and begun anew; 0 for never.",
        ),
        Setting::new(
            "log-rotate-hours",
            Kind::Integer { min: 0, max: 87_600 },
            "0",
            "Hours after which `logfile` and `jsonfile` are renamed and begun anew; 0 for never.",
        ),
        Setting::new(
            "log-rotate-keep",
            Kind::Integer { min: 0, max: 1_000_000 },
            "10",
            "How many renamed files of each log are kept; 0 for all.",
        ),
        Setting::new(
            "syslog",
            Kind::SyslogTargets,
            "",
            "Syslog receiver, HOST[:PORT[:FORMAT[:PROTOCOL]]], FORMAT being DEFAULT, CEF, JSON, SYSLOGJSON or SYSLOGKV and PROTOCOL being UDP, TCP or TCPTLS [default: 514:DEFAULT:UDP]. Repeatable.",
        )
        .or_in_file(&["remote-log"]),
        Setting::new(
            "syslog-rfc3164",
            Kind::Flag,
            "false",
            "Send syslog messages as RFC 3164 has them instead of RFC 5424.",
        )
        .or_in_file(&["rfc3164"]),
        Setting::new(
            "syslog-framing",
            Kind::Choice(&["octet-counted", "line-feed"]),
            "octet-counted",
            "How syslog messages are told apart on TCP and TLS; those of the format JSON end with a line feed in any case.",
        ),
        Setting::new(
            "syslog-length-limit",
            Kind::Size { min: 2048 },
            "8KB",
            "Longest syslog message; a longer one is cut where its format stays valid. At most 1MB, and 60KB over UDP.",
        )
        .or_in_file(&["maxsysloglength"]),
        Setting::new(
            "webhook",
            Kind::Addresses,
            "",
            "Address that every finding is sent to in a POST request. Repeatable.",
        ),
        Setting::new(
            "webhook-format",
            Kind::Choice(&["v3", "v1", "ecs", "ocsf"]),
            "v3",
            "The form of a finding in such a request, as for `json-format`.",
        ),
        Setting::new(
            "webhook-secret-file",
            Kind::Path,
            "",
            "File with such secrets, one a line.",
        ),
        Setting::new(
            "webhook-secret",
            Kind::Passwords,
            "",
            "Secret that such requests are signed with (HMAC-SHA256); better in the environment or `webhook-secret-file`. Repeatable.",
        ),
        Setting::new(
            "webhook-tries",
            Kind::Integer { min: 1, max: 1000 },
            "8",
            "How often a finding that a receiver refuses is sent before it is put aside.",
        ),
        Setting::new(
            "output-ca",
            Kind::Path,
            "",
            "PEM file with the certificates that receivers are trusted by, instead of those of the system.",
        ),
        Setting::new(
            "output-buffer-size",
            Kind::Size { min: 1 << 20 },
            "100MB",
            "Bytes that wait on the disk for each receiver that is away; beyond that the oldest are dropped, and counted.",
        ),
        Setting::new(
            "otlp-endpoint",
            Kind::Address,
            "",
            "Address of an OpenTelemetry collector that traces of samples are sent to by OTLP over HTTP, as http://HOST:4318; without a path, /v1/traces is taken. `output-ca` says whom to trust.",
        ),
        Setting::new(
            "otlp-header",
            Kind::Headers,
            "",
            "Header of such requests, for what the collector wants to be shown; better in the environment. Repeatable.",
        ),
        Setting::new(
            "otlp-percent",
            Kind::Integer { min: 0, max: 100 },
            "100",
            "Of a hundred samples, how many are traced.",
        ),
        Setting::new(
            "utc",
            Kind::Flag,
            "false",
            "Write times in UTC instead of local time.",
        )
        .or_in_file(&["timestamp-utc"]),
        Setting::new(
            "rfc3339",
            Kind::Flag,
            "false",
            "Write times in lines of text in RFC 3339 form.",
        )
        .or_in_file(&["timestamp-rfc3339"]),
        Setting::new(
            "log-level",
            Kind::Choice(&["off", "error", "warn", "info", "debug", "trace"]),
            "info",
            "Least severe of the service's own messages that are shown.",
        ),
    ],
};
