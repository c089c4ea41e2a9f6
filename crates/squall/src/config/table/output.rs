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
            "syslog",
            Kind::SyslogTargets,
            "",
            "Syslog receiver, HOST[:PORT[:FORMAT[:PROTOCOL]]], FORMAT being DEFAULT, CEF, JSON, SYSLOGJSON or SYSLOGKV and PROTOCOL being UDP, TCP or TCPTLS [default: 514:DEFAULT:UDP]. Repeatable.",
        )
        .or_in_file(&["remote-log"])
        .later(None, "findings are not sent to syslog"),
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
