//! Which files of a signature directory hold IOCs, and of which kind.

/// What kind of indicators a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum IocKind {
    /// Digests of malware.
    Hash,
    /// Digests of files that are never reported.
    TrustedHash,
    /// Regular expressions on the path.
    Filename,
    /// Strings in the content.
    Keyword,
    /// Host names and addresses in the content.
    C2,
    /// A STIX v2 bundle.
    Stix,
}

/// The tags, the more specific ones first: a `trusted-hash` list also holds
/// the word `hash`, and taking it for malware would be the worst mistake here.
const TAGS: [(&str, IocKind); 14] = [
    ("trusted-hash", IocKind::TrustedHash),
    ("trusted-hashes", IocKind::TrustedHash),
    ("falsepositive-hash", IocKind::TrustedHash),
    ("falsepositive-hashes", IocKind::TrustedHash),
    ("false-positive-hash", IocKind::TrustedHash),
    ("false-positive-hashes", IocKind::TrustedHash),
    ("hash", IocKind::Hash),
    ("hashes", IocKind::Hash),
    ("filename", IocKind::Filename),
    ("filenames", IocKind::Filename),
    ("keyword", IocKind::Keyword),
    ("keywords", IocKind::Keyword),
    ("c2", IocKind::C2),
    ("domains", IocKind::C2),
];

/// Tags that also make a file a hash list, beside those of the contract.
const IMPHASH_TAGS: [&str; 2] = ["imphash", "imphashes"];

/// Tells which kind of IOCs a file holds by the tag in its name, or `None` if
/// it is not an IOC file.
///
/// A tag stands alone: what is around it is neither a letter nor a digit, or
/// is the end of the name. `.txt` files are lists, `.json` files STIX bundles.
/// Directories in front of the name play no part.
pub(crate) fn kind_of(file_name: &str) -> Option<IocKind> {
    let base = base_name(file_name).to_ascii_lowercase();
    let (stem, extension) = base.rsplit_once('.')?;
    match extension {
        // A hidden file is a leftover of an editor or an archiver.
        _ if stem.is_empty() || base.starts_with('.') => None,
        "json" => Some(IocKind::Stix),
        "txt" => {
            // `trusted_hashes` is as clear as `trusted-hashes`.
            let stem = stem.replace('_', "-");
            TAGS.iter()
                .find(|(tag, _)| has_tag(&stem, tag))
                .map(|&(_, kind)| kind)
                .or_else(|| is_imphash_list(file_name).then_some(IocKind::Hash))
        }
        _ => None,
    }
}

/// Tells whether a hash list is tagged as one of import hashes.
pub(super) fn is_imphash_list(file_name: &str) -> bool {
    let base = base_name(file_name).to_ascii_lowercase();
    IMPHASH_TAGS.iter().any(|tag| has_tag(&base, tag))
}

/// Returns the last component of a name.
pub(super) fn base_name(file_name: &str) -> &str {
    file_name.rsplit(['/', '\\']).next().unwrap_or(file_name)
}

fn has_tag(stem: &str, tag: &str) -> bool {
    stem.match_indices(tag).any(|(at, _)| {
        let before = stem[..at].chars().next_back();
        let after = stem[at + tag.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_decides_when_it_stands_alone() {
        for (name, expected) in [
            ("hash-iocs.txt", Some(IocKind::Hash)),
            ("hash.txt", Some(IocKind::Hash)),
            ("int_misp_hashes.txt", Some(IocKind::Hash)),
            ("/rules/hash/notes.txt", None),
            ("C:\\sigs\\OP-HASH-iocs.TXT", Some(IocKind::Hash)),
            ("my-trusted-hashes.txt", Some(IocKind::TrustedHash)),
            ("trusted_hash_list.txt", Some(IocKind::TrustedHash)),
            ("falsepositive-hash.txt", Some(IocKind::TrustedHash)),
            ("falsepositive-hashes-x.txt", Some(IocKind::TrustedHash)),
            ("my-false-positive-hashes.txt", Some(IocKind::TrustedHash)),
            ("untrusted-hash.txt", Some(IocKind::Hash)),
            ("case-imphash.txt", Some(IocKind::Hash)),
            ("Case-UX22-filename-iocs.txt", Some(IocKind::Filename)),
            ("Malicious-filenames-unitX.txt", Some(IocKind::Filename)),
            ("filenameiocs.txt", None),
            ("keywords.txt", Some(IocKind::Keyword)),
            ("incident keyword 22.txt", Some(IocKind::Keyword)),
            ("mysource-c2-iocs.txt", Some(IocKind::C2)),
            ("dec15-batch1-c2-indicators.txt", Some(IocKind::C2)),
            ("bad.domains.txt", Some(IocKind::C2)),
            ("myc2iocs.txt", None),
            ("c22.txt", None),
            ("c2-iocs.dat", None),
            ("c2", None),
            ("README.txt", None),
            ("indicators.json", Some(IocKind::Stix)),
            (".json", None),
            (".hash.txt", None),
            ("", None),
            ("ü-c2-ü.txt", Some(IocKind::C2)),
            ("üc2.txt", None),
        ] {
            assert_eq!(kind_of(name), expected, "{name}");
        }
    }

    #[test]
    fn import_hash_lists_are_tagged() {
        for (name, expected) in [
            ("imphash-iocs.txt", true),
            ("/x/case-imphashes.txt", true),
            ("imphash/hash.txt", false),
            ("myimphash.txt", false),
        ] {
            assert_eq!(is_imphash_list(name), expected, "{name}");
        }
    }
}
