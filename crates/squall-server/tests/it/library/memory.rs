//! What stands in for the files of signatures, for what reloads them and for kept
//! samples: all of it in memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use squall_api::v1;
use squall_server::{
    KeptSamples, KeptSamplesStats, LibraryError, Mistake, Pending, RuleFacts, SignatureControl,
    SignatureLibrary, SignatureState, WrittenFile,
};

/// Files in memory. A text with `BROKEN` has a mistake in line 2; a reload
/// with a text that has `UNFIT` fails.
#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<BTreeMap<String, String>>>, Arc<AtomicBool>);

impl Memory {
    /// Returns the files with their texts.
    pub(super) fn files(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap()
    }

    pub(super) fn set_pure_yara(&self) {
        self.1.store(true, Ordering::Relaxed);
    }
}

impl SignatureLibrary for Memory {
    fn rules(&self) -> Vec<RuleFacts> {
        let rule = |name: &str, file: &str, origin| RuleFacts {
            name: name.to_owned(),
            file: file.to_owned(),
            origin,
            score: 75,
            description: format!("Finds what {name} is about"),
            tags: vec!["TAG".to_owned()],
            ..RuleFacts::default()
        };
        vec![
            rule("Zeta", "z.yar", "internal"),
            rule("Evil_Test", "own.yar", "custom"),
            rule("Alpha", "a.yar", "internal"),
        ]
    }

    fn source(&self, file: &str, rule: &str) -> Result<Option<(u32, String)>, LibraryError> {
        Ok((rule != "Zeta").then(|| (7, format!("rule {rule} {{ }} // {file}"))))
    }

    fn trusts(&self, sha256: &[u8; 32]) -> bool {
        let digits: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        self.0
            .lock()
            .unwrap()
            .values()
            .any(|text| text.contains(&digits))
    }

    fn written(&self) -> Result<Vec<WrittenFile>, LibraryError> {
        let files = self.files();
        let file = |(name, text): (&String, &String)| WrittenFile {
            name: name.clone(),
            size_bytes: text.len() as u64,
            modified: "2026-11-24T08:30:00Z".parse().unwrap(),
            digest: squall_server::text_digest(text),
        };
        Ok(files.iter().map(file).collect())
    }

    fn read(&self, name: &str) -> Result<Option<String>, LibraryError> {
        if name.contains('/') {
            return Err(LibraryError::Name("no such name".to_owned()));
        }
        Ok(self.files().get(name).cloned())
    }

    fn check(&self, name: &str, text: &str) -> Result<Vec<Mistake>, LibraryError> {
        SignatureLibrary::read(self, name)?;
        let mistake = |fatal| Mistake {
            line: Some(2),
            column: Some(5),
            fatal,
            reason: "unknown pattern".to_owned(),
        };
        let mut mistakes = Vec::new();
        if text.contains("BROKEN") {
            mistakes.push(mistake(true));
        }
        if text.contains("ODD") {
            mistakes.push(mistake(false));
        }
        Ok(mistakes)
    }

    fn write(&self, name: &str, text: Option<&str>) -> Result<(), LibraryError> {
        let mut files = self.files();
        match text {
            Some(text) => files.insert(name.to_owned(), text.to_owned()),
            None => files.remove(name),
        };
        Ok(())
    }

    fn costs(&self) -> v1::RuleCosts {
        let cost = |rule: &str| v1::RuleCost {
            rule: Some(rule.to_owned()),
            microseconds: 12.5,
            ..v1::RuleCost::default()
        };
        v1::RuleCosts {
            measured: Some(v1::MeasuredCosts {
                rules: vec![
                    cost("Evil_Test"),
                    v1::RuleCost {
                        file: "a.yar".to_owned(),
                        ..cost("Alpha")
                    },
                ],
                ..v1::MeasuredCosts::default()
            }),
            ..v1::RuleCosts::default()
        }
    }

    fn measure(&self) -> Result<(), LibraryError> {
        match self.files().is_empty() {
            true => Err(LibraryError::NotNow("nothing to measure".to_owned())),
            false => Ok(()),
        }
    }
}

impl SignatureControl for Memory {
    fn state(&self) -> SignatureState {
        SignatureState {
            pure_yara: self.1.load(Ordering::Relaxed),
            ..SignatureState::default()
        }
    }

    fn reload(&self) -> Pending {
        let (sender, pending) = tokio::sync::oneshot::channel();
        let files = self.files();
        let fit = !files.values().any(|text| text.contains("UNFIT"));
        let result = if fit {
            Ok(())
        } else {
            Err("the self-test failed".to_owned())
        };
        sender.send(result).unwrap();
        pending
    }

    fn roll_back(&self) -> Pending {
        self.reload()
    }

    fn sources(&self) -> v1::SignatureSources {
        v1::SignatureSources::default()
    }

    fn update(&self) -> Pending {
        self.reload()
    }
}

impl KeptSamples for Memory {
    fn read(&self, sha256: [u8; 32]) -> std::io::Result<Option<Vec<u8>>> {
        Ok((sha256 == [0xab; 32]).then(|| b"MZ evil".to_vec()))
    }

    fn stats(&self) -> KeptSamplesStats {
        KeptSamplesStats {
            samples: 1,
            bytes: 7,
            ..KeptSamplesStats::default()
        }
    }

    fn holds(&self, sha256: [u8; 32]) -> bool {
        sha256 == [0xab; 32]
    }
}
