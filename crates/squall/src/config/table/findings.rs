//! Settings on the findings store.

use super::super::kind::Kind;
use super::{Section, Setting};

/// The findings store.
pub(super) const FINDINGS: Section = Section {
    heading: "Findings",
    settings: &[
        Setting::new(
            "findings-db",
            Kind::Path,
            "",
            "Database that findings, sources and collector runs are searched in; `none` for no such database [default: `findings/findings.db` in data-dir].",
        ),
        Setting::new(
            "findings-max",
            Kind::Integer {
                min: 0,
                max: 1_000_000_000,
            },
            "1000000",
            "Findings kept in the database, the oldest going first; 0 for no limit.",
        ),
        Setting::new(
            "findings-max-age",
            Kind::Integer {
                min: 0,
                max: 36_500,
            },
            "90",
            "Days that findings are kept in the database; 0 for no limit.",
        ),
        Setting::new(
            "lookup-link",
            Kind::Links,
            "",
            "Link to look up a finding's file elsewhere, shown in the console: NAME=URL with {md5}, {sha1} or {sha256} in it. Nothing is sent until somebody follows it. Repeatable.",
        ),
    ],
};
