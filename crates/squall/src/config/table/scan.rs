//! Settings on how samples are scanned.

use super::super::kind::Kind;
use super::{Section, Setting};

/// The scan threads.
pub(super) const WORKERS: Section = Section {
    heading: "Scanning",
    settings: &[
        Setting::new(
            "threads",
            Kind::Integer {
                min: -1024,
                max: 1024,
            },
            "0",
            "Scan threads; 0 for one per core, -2 for two fewer than that.",
        ),
        Setting::new(
            "sync-only-threads",
            Kind::Integer { min: 0, max: 1024 },
            "0",
            "Scan threads, of those, reserved for synchronous checks.",
        ),
        Setting::new(
            "scan-timeout",
            Kind::Duration {
                min_ms: 1000,
                max_ms: 86_400_000,
            },
            "120s",
            "Longest time for a scan; a sample that needs more is reported as not scanned completely.",
        ),
        Setting::new(
            "verdict-cache-size",
            Kind::Size { min: 0 },
            "64MB",
            "Memory for verdicts on what was scanned before, so that the same content is not scanned twice with the same signatures; 0 to scan everything.",
        ),
        Setting::new(
            "pure-yara",
            Kind::Flag,
            "false",
            "Apply YARA rules only, no IOCs and no heuristics.",
        ),
    ],
};

/// The signature sets.
pub(super) const SIGNATURES: Section = Section {
    heading: "Signatures",
    settings: &[
        Setting::new(
            "signatures",
            Kind::Paths,
            "built-in",
            "Directory of signatures, instead of the built-in set. Repeatable; the word `built-in` keeps that set.",
        ),
        Setting::new(
            "custom-signatures",
            Kind::Paths,
            "",
            "Directory of your own signatures, in addition to the others. Repeatable.",
        ),
        Setting::new(
            "watch-signatures",
            Kind::Flag,
            "true",
            "Put signatures in force when their files change, without a restart.",
        ),
        Setting::new(
            "signature-cache-dir",
            Kind::Path,
            "",
            "Directory for compiled signatures, closed to others [default: `signature-cache` in data-dir].",
        ),
        Setting::new(
            "signature-sources",
            Kind::Paths,
            "",
            "Where further signatures are fetched from: https://HOST/SET.zip, or the path of a zip archive or a directory; #sha256=DIGITS behind it pins the content. Repeatable.",
        ),
        Setting::new(
            "signature-public-key",
            Kind::Path,
            "",
            "File with the minisign public key that fetched signatures must be signed with.",
        ),
        Setting::new(
            "signature-update-interval",
            Kind::Integer { min: 0, max: 8760 },
            "0",
            "Hours between two updates from signature-sources; 0 for never.",
        ),
    ],
};

/// Archives and the like.
pub(super) const UNPACKING: Section = Section {
    heading: "Unpacking",
    settings: &[
        Setting::new(
            "max-recursion-depth",
            Kind::Integer { min: 0, max: 64 },
            "4",
            "How deep archives in archives are unpacked; what is deeper is reported as not scanned.",
        )
        .or_in_file(&["archive-depth"]),
        Setting::new(
            "max-nested-objects",
            Kind::Integer {
                min: 0,
                max: 10_000_000,
            },
            "10000",
            "Members of a sample that are scanned, on all levels together; what is beyond is reported as not scanned.",
        )
        .or_in_file(&["archive-file-limit"]),
        Setting::new(
            "noarchive",
            Kind::Flag,
            "false",
            "Do not unpack archives, scan them as they are.",
        ),
        Setting::new(
            "archive-password",
            Kind::Passwords,
            "",
            "Password tried on encrypted archives and documents before those known for samples: infected, virus, malware, password, infected666. Repeatable.",
        ),
    ],
};

/// The levels of findings.
pub(super) const LEVELS: Section = Section {
    heading: "Levels",
    settings: &[
        Setting::new(
            "notice",
            SCORE,
            "40",
            "Lowest score of a Notice; what is below is not reported.",
        )
        .or_in_file(&["score-notice"]),
        Setting::new("warning", SCORE, "60", "Lowest score of a Warning.")
            .or_in_file(&["score-warning"]),
        Setting::new(
            "alert",
            SCORE,
            "81",
            "Lowest score of an Alert, which also needs one match that scores above 75.",
        )
        .or_in_file(&["score-alert"]),
    ],
};

/// What a level's threshold may be. 0 would report every file there is.
const SCORE: Kind = Kind::Integer { min: 1, max: 100 };
