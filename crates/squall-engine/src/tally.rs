//! How much of lists of indicators is of use, taken by themselves: a set tells
//! only of all its lists together.

use crate::Severity;
use crate::ioc::{IocBuilder, IocKind, kind_of};
use crate::source::SourceFile;

/// What came of some lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Indicators and trusted digests that can be used.
    pub usable: u64,
    /// Lines, and files, that cannot. An indicator of a STIX bundle that asks for
    /// something else than files do is none of them: such bundles are mixed.
    pub broken: u64,
}

/// Counts what the lists among these files bring.
#[must_use]
pub fn tally_lists<'a>(files: impl IntoIterator<Item = &'a SourceFile>) -> Tally {
    let mut lists = IocBuilder::new();
    for file in files {
        let kind = match kind_of(&file.name) {
            // Those have the same form, and are counted among no indicators.
            Some(IocKind::TrustedHash) => IocKind::Hash,
            Some(kind) => kind,
            None => continue,
        };
        lists.add(kind, &file.name, &file.content, file.origin);
    }
    let (iocs, problems) = lists.build();
    let is_of_stix = |file: &str| kind_of(file) == Some(IocKind::Stix);
    let broken = problems.iter().filter(|problem| {
        problem.severity == Severity::Skipped
            && !(problem.rule.is_some() && is_of_stix(&problem.file))
    });
    Tally {
        usable: iocs.count(),
        broken: broken.count() as u64,
    }
}

#[cfg(test)]
mod tests {
    use squall_types::SignatureOrigin;

    use super::*;
    use crate::include::Included;

    fn tally(files: &[(&str, &str)]) -> (u64, u64) {
        let files: Vec<_> = files
            .iter()
            .map(|(name, text)| SourceFile {
                name: (*name).to_owned(),
                content: text.as_bytes().to_vec(),
                origin: SignatureOrigin::Internal,
                modified: None,
                included: Included::default(),
            })
            .collect();
        let Tally { usable, broken } = tally_lists(&files);
        (usable, broken)
    }

    #[test]
    fn lists_are_counted_by_themselves_and_rules_passed_over() {
        let digest = "0c2674c3a97c53082187d930efb645c2";
        let stix = r#"[{"type": "indicator", "id": "indicator--1", "pattern": "[file:name = 'a']"},
            {"type": "indicator", "id": "indicator--2", "pattern": "[ipv4-addr:value = '192.0.2.1']"}]"#;
        for (files, expected) in [
            (&[("a.yar", "rule A { condition: true }")][..], (0, 0)),
            (&[("hash-iocs.txt", "# only this\n")], (0, 0)),
            (&[("trusted-hashes.txt", digest)], (1, 0)),
            (
                &[("hash-iocs.txt", "<html>\n<title>404</title>\n</html>\n")],
                (0, 3),
            ),
            (
                &[
                    ("hash-iocs.txt", digest),
                    ("keywords.txt", "a-keyword\nx\n"),
                ],
                (2, 1),
            ),
            (&[("feed.json", stix)], (1, 0)),
            (&[("feed.json", "<html>")], (0, 1)),
        ] {
            assert_eq!(tally(files), expected, "{files:?}");
        }
    }
}
