//! What a scan says about a sample.

use serde::{Deserialize, Serialize};

use crate::{Digests, Level, Match, PeInfo, SampleId, ScanFacts, Score, Submission};

/// Facts about one file: the sample itself or a member of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// The name on the sender; a member's is `outer.zip|inner/x.js`.
    pub path: String,
    /// Lower case, with the dot; empty when there is none.
    pub extension: String,
    /// What the content is: `EXE`, `ZIP`, `PHP`, … `UNKNOWN`.
    pub file_type: String,
    /// Size of the file.
    pub size_bytes: u64,
    /// Digests of the file.
    pub digests: Digests,
    /// The first bytes.
    pub first_bytes: FirstBytes,
    /// The types it was unpacked from, outermost first; empty for the sample.
    pub unpack_source: Vec<String>,
    /// What a Windows program says of itself; `None` for other files.
    #[serde(default)]
    pub pe_info: Option<PeInfo>,
    /// Entropy of the bytes in thousandths of a bit per byte, 0 to 8000;
    /// `None` where nothing was found, since nobody asks for it then.
    #[serde(default)]
    pub entropy_millibits: Option<u16>,
}

/// The first bytes of a file, twenty at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FirstBytes(Vec<u8>);

impl FirstBytes {
    /// How many bytes are kept.
    pub const LEN_MAX: usize = 20;

    /// Takes the first bytes of `content`.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self(content[..content.len().min(Self::LEN_MAX)].to_vec())
    }

    /// Returns the bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns those bytes that are printable ASCII, as text.
    #[must_use]
    pub fn printable(&self) -> String {
        self.0
            .iter()
            .filter(|b| (0x20..0x7f).contains(*b))
            .map(|&b| char::from(b))
            .collect()
    }
}

/// Which part of a file a signature matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MatchField {
    /// The content.
    Content,
    /// The path on the sender.
    Path,
    /// The MD5 digest.
    Md5,
    /// The SHA-1 digest.
    Sha1,
    /// The SHA-256 digest.
    Sha256,
    /// The import hash of a Windows program.
    Imphash,
}

impl MatchField {
    /// Returns the JSON pointer that the v3 log form names the part by.
    #[must_use]
    pub const fn pointer(self) -> &'static str {
        match self {
            Self::Content => "/content",
            Self::Path => "/path",
            Self::Md5 => "/hashes/md5",
            Self::Sha1 => "/hashes/sha1",
            Self::Sha256 => "/hashes/sha256",
            Self::Imphash => "/pe_info/imphash",
        }
    }
}

/// A string of a signature that was found in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchedString {
    /// The string's name in the rule, `$x1`; empty where there is none.
    pub identifier: String,
    /// Which part of the file it was found in.
    pub field: MatchField,
    /// Where it begins in that part, in bytes.
    pub offset: u64,
    /// The bytes found, cut to a limit.
    pub data: Vec<u8>,
    /// Length of what was found before it was cut, in bytes.
    pub length: u64,
    /// The bytes before it, as context.
    pub before: Vec<u8>,
    /// The bytes behind it, as context.
    pub after: Vec<u8>,
}

/// Why a file could not be looked at completely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum IncompleteReason {
    /// Only a part of it was looked at.
    Truncated,
    /// It is encrypted and no known password opens it.
    Encrypted,
    /// A limit of depth, members, bytes or ratio was reached.
    Limit,
    /// It is damaged.
    Corrupt,
    /// The time limit was reached.
    Timeout,
    /// Its format is known but not one that can be opened.
    Unsupported,
    /// The system did not let it be read.
    Unreadable,
}

impl IncompleteReason {
    /// All of them, in the order they are declared in.
    pub const ALL: [Self; 7] = [
        Self::Truncated,
        Self::Encrypted,
        Self::Limit,
        Self::Corrupt,
        Self::Timeout,
        Self::Unsupported,
        Self::Unreadable,
    ];

    /// Returns the category that the v3 log form shows.
    #[must_use]
    pub const fn category(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Encrypted => "encrypted",
            Self::Limit => "limit",
            Self::Corrupt => "corrupt",
            Self::Timeout => "timeout",
            Self::Unsupported => "unsupported",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A file, or a part of one, that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incomplete {
    /// The file it concerns, as in [`FileFacts::path`].
    pub path: String,
    /// Why.
    pub reason: IncompleteReason,
    /// The same in words.
    pub description: String,
}

/// What was found on one file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// How serious it is.
    pub level: Level,
    /// The total score.
    pub score: Score,
    /// The file.
    pub file: FileFacts,
    /// The file it was unpacked from.
    pub parent: Option<FileFacts>,
    /// What matched, highest sub-score first.
    pub matches: Vec<Match>,
}

/// All that a scan of one sample says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Facts about the sample itself.
    pub sample: FileFacts,
    /// One finding for each suspicious file.
    pub findings: Vec<Finding>,
    /// What could not be looked at. A sample with any never passes for clean.
    pub incomplete: Vec<Incomplete>,
}

impl Outcome {
    /// Tells whether the sample was looked at completely and nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.incomplete.is_empty()
    }

    /// Returns the highest score among the findings, 0 when there are none.
    #[must_use]
    pub fn score_max(&self) -> Score {
        self.findings
            .iter()
            .map(|finding| finding.score)
            .max()
            .unwrap_or_default()
    }
}

/// A scanned sample: what it was, how it was scanned and what was found. This
/// is what outputs render and what is stored as a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The sample.
    pub id: SampleId,
    /// Who sent it and under which name.
    pub submission: Submission,
    /// When and with what it was scanned.
    pub scan: ScanFacts,
    /// What was found.
    pub outcome: Outcome,
}
