//! A store in a temporary directory, and reports to feed it with.

use std::path::PathBuf;
use std::time::Duration;

use squall_api::v1::FindingRow;
use squall_findings::{Filter, Findings, FindingsConfig, Page, SampleRef};
use squall_types::{
    Digests, FileFacts, Finding, FirstBytes, Level, Match, MatchField, MatchedString, Origin,
    Outcome, Report, SampleId, ScanFacts, Score, SignatureKind, SignatureOrigin, Submission,
};
use tempfile::TempDir;

pub(crate) struct Store {
    pub(crate) findings: Findings,
    pub(crate) config: FindingsConfig,
    pub(crate) dir: TempDir,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(adjust: impl FnOnce(&mut FindingsConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = FindingsConfig::new(dir.path().join("findings.db"));
        adjust(&mut config);
        let (findings, _) = Findings::open(config.clone()).unwrap();
        Self {
            findings,
            config,
            dir,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn feed(&self, reports: &[Report]) {
        for report in reports {
            self.findings.offer(report);
        }
        self.flush();
    }

    pub(crate) fn flush(&self) {
        assert!(self.findings.flush(Duration::from_secs(30)));
    }

    /// Closes the store and opens it again.
    pub(crate) fn reopen(&mut self) -> squall_findings::Opened {
        self.findings.close();
        // The lock goes with the handle.
        let nowhere = FindingsConfig::new(self.path("nowhere.db"));
        self.findings = Findings::open(nowhere).unwrap().0;
        let (findings, opened) = Findings::open(self.config.clone()).unwrap();
        self.findings.close();
        self.findings = findings;
        opened
    }

    /// Returns all findings of a filter, read page by page.
    pub(crate) fn all(&self, filter: &Filter, limit: usize) -> Vec<FindingRow> {
        let mut rows = Vec::new();
        let mut page = Page {
            cursor: None,
            limit,
        };
        loop {
            let found = self.findings.search(filter, &page).unwrap();
            assert!(found.findings.len() <= limit);
            rows.extend(found.findings);
            if found.cursor.is_none() {
                return rows;
            }
            page.cursor = found.cursor;
        }
    }

    pub(crate) fn ids(&self, filter: &Filter) -> Vec<String> {
        let rows = self.all(filter, 100);
        rows.into_iter().map(|row| row.event_id).collect()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.findings.close();
    }
}

/// Now, in whole seconds so that tests can add to it.
pub(crate) fn now_us() -> i64 {
    jiff::Timestamp::now().as_second() * 1_000_000
}

/// A sample of which only the id is known.
pub(crate) fn sample(id: u64) -> SampleRef {
    SampleRef { id, sha256: None }
}

/// A report with one finding.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) number: u32,
    pub(crate) time_us: i64,
    pub(crate) level: Level,
    pub(crate) score: u8,
    pub(crate) source: String,
    pub(crate) run: Option<String>,
    pub(crate) name: String,
    pub(crate) content: u8,
    pub(crate) rules: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) matched: Vec<u8>,
}

impl Made {
    pub(crate) fn new(number: u32) -> Self {
        Self {
            number,
            time_us: now_us() + 1000 * i64::from(number),
            level: Level::Alert,
            score: 90,
            source: "web-01".to_owned(),
            run: None,
            name: format!("C:\\temp\\file{number}.exe"),
            content: 1,
            rules: vec!["Evil_Rule".to_owned()],
            tags: vec!["T1059".to_owned()],
            matched: b"some evil string".to_vec(),
        }
    }

    pub(crate) fn digests(&self) -> Digests {
        Digests {
            md5: [self.content; 16],
            sha1: [self.content; 20],
            sha256: [self.content; 32],
        }
    }

    pub(crate) fn event_id(&self) -> String {
        squall_report::event_id(&self.submission(), 0)
    }

    fn submission(&self) -> Submission {
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&self.number.to_be_bytes());
        Submission {
            origin: Origin {
                source: self.source.clone(),
                remote_addr: "192.0.2.1".to_owned(),
                collector_run: self.run.clone(),
            },
            file_name: self.name.clone(),
            size_bytes: 100,
            digests: self.digests(),
            received_at_us: self.time_us - 1000,
            synchronous: false,
            nonce,
        }
    }

    pub(crate) fn report(&self) -> Report {
        let file = FileFacts {
            path: self.name.clone(),
            extension: ".exe".to_owned(),
            file_type: "EXE".to_owned(),
            size_bytes: 100,
            digests: self.digests(),
            first_bytes: FirstBytes::of(b"MZ"),
            ..FileFacts::default()
        };
        let finding = Finding {
            level: self.level,
            score: Score::new(self.score),
            file: file.clone(),
            parent: None,
            matches: self.rules.iter().map(|rule| self.matching(rule)).collect(),
        };
        Report {
            id: SampleId::new(u64::from(self.number) + 1).unwrap(),
            submission: self.submission(),
            scan: ScanFacts {
                scan_id: self.run.clone().unwrap_or_else(|| "S-service".to_owned()),
                scanned_at_us: self.time_us,
                scan_time_us: 100,
                signature_version: String::new(),
            },
            outcome: Outcome {
                sample: file,
                findings: vec![finding],
                incomplete: Vec::new(),
            },
        }
    }

    fn matching(&self, rule: &str) -> Match {
        Match {
            kind: SignatureKind::YaraRule,
            origin: SignatureOrigin::Internal,
            rule_name: rule.to_owned(),
            description: String::new(),
            author: None,
            references: Vec::new(),
            date: None,
            id: None,
            false_positives: Vec::new(),
            tags: self.tags.clone(),
            subscore: 75,
            strings: vec![MatchedString {
                identifier: "$a".to_owned(),
                field: MatchField::Content,
                offset: 0,
                data: self.matched.clone(),
                length: self.matched.len() as u64,
                before: Vec::new(),
                after: Vec::new(),
            }],
        }
    }
}
