//! What signatures cost in time.
//!
//! The engine can count time itself, in a build that is slower for everybody,
//! so it is taken from outside: each rule file is compiled alone and scans the
//! samples, and what the same scan costs without any rule is taken off. The
//! rules of the most expensive files are then taken apart in the same way,
//! until no further file can hold a rule that is wanted.
//!
//! In the whole set, rules share the search for their strings: the sum of what
//! is told here is more than a scan with all of them takes. What the numbers
//! tell is which rule to look at.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::time::{Duration, Instant};

use yara_x_parser::Parser;
use yara_x_parser::cst::{Event, SyntaxKind};

use crate::include::Included;
use crate::ioc::kind_of;
use crate::scan::{Sample, ScanLimits, Scanner};
use crate::set::{CompileOptions, SetError, SignatureSet};
use crate::source::SourceFile;

/// Each sample is scanned this often; the fastest counts, since all that
/// disturbs a measurement makes it slower.
const ROUNDS: u32 = 3;

/// The time that a file or a rule adds to the scans of all samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The rule file.
    pub file: String,
    /// The rule; `None` for a whole file.
    pub rule: Option<String>,
    /// How much longer all samples together take with it.
    pub time: Duration,
}

/// What signatures cost.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    /// Every rule file, the most expensive first.
    pub files: Vec<Cost>,
    /// The rules that were wanted, the most expensive first.
    pub rules: Vec<Cost>,
    /// The time of all samples with no rule at all.
    pub base: Duration,
}

/// Which rules are wanted: so many of the most expensive, and all above a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// How many, whatever their time.
    pub count: usize,
    /// The time of all samples together above which every rule is.
    pub above: Duration,
}

impl Wanted {
    /// Every rule.
    pub const ALL: Self = Self {
        count: usize::MAX,
        above: Duration::MAX,
    };

    /// So many of the most expensive ones.
    #[must_use]
    pub fn worst(count: usize) -> Self {
        Self {
            count,
            above: Duration::MAX,
        }
    }

    /// Tells whether a file that takes `time` can hold none beside those found.
    fn is_met(self, found: &[Cost], time: Duration) -> bool {
        let last = found.get(self.count.saturating_sub(1));
        time <= self.above && last.is_some_and(|last| last.time >= time)
    }

    /// Sorts rules and leaves those that are wanted.
    fn pick(self, rules: &mut Vec<Cost>) {
        rules.sort_by_key(|cost| Reverse(cost.time));
        let above = rules.partition_point(|cost| cost.time > self.above);
        rules.truncate(self.count.max(above));
    }
}

/// Measures rule files, and those of their rules that are wanted.
///
/// `progress` is called with the number of files done.
///
/// # Errors
///
/// Fails only if the engine cannot be set up.
pub fn costs(
    files: &[SourceFile],
    samples: &[Sample<'_>],
    wanted: Wanted,
    mut progress: impl FnMut(usize),
) -> Result<Costs, SetError> {
    let base = time(&[], samples)?;
    let mut costs = Costs {
        base,
        ..Costs::default()
    };
    for (index, file) in files.iter().enumerate() {
        if kind_of(&file.name).is_none() {
            let taken = time(std::slice::from_ref(file), samples)?;
            costs.files.push(Cost {
                file: file.name.clone(),
                rule: None,
                time: taken.saturating_sub(base),
            });
        }
        progress(index + 1);
    }
    costs.files.sort_by_key(|cost| Reverse(cost.time));
    for cost in &costs.files {
        if wanted.is_met(&costs.rules, cost.time) {
            break;
        }
        let Some(file) = files.iter().find(|file| file.name == cost.file) else {
            continue;
        };
        for (rule, content) in rules_of(&file.content) {
            let alone = SourceFile {
                content,
                included: Included::default(),
                ..file.clone()
            };
            costs.rules.push(Cost {
                file: file.name.clone(),
                rule: Some(rule),
                time: time(&[alone], samples)?.saturating_sub(base),
            });
        }
        wanted.pick(&mut costs.rules);
    }
    Ok(costs)
}

/// Returns how long the samples take with these files.
fn time(files: &[SourceFile], samples: &[Sample<'_>]) -> Result<Duration, SetError> {
    let set = SignatureSet::compile(files, CompileOptions::default(), |_| {})?;
    let limits = ScanLimits {
        unpack: None,
        ..ScanLimits::default()
    };
    let mut scanner = Scanner::new(&set, limits);
    let mut total = Duration::ZERO;
    for sample in samples {
        let fastest = (0..ROUNDS).map(|_| {
            let begun = Instant::now();
            scanner.scan(sample);
            begun.elapsed()
        });
        total += fastest.min().unwrap_or_default();
    }
    Ok(total)
}

/// A rule in the text of its file.
struct Part {
    name: String,
    range: std::ops::Range<usize>,
    /// All names in it, among them those of rules that it refers to.
    names: HashSet<String>,
}

/// Takes a rule file apart: for each rule its name, and a text that holds it,
/// the rules it refers to, and the imports of the file.
fn rules_of(content: &[u8]) -> Vec<(String, Vec<u8>)> {
    let text = |range: std::ops::Range<usize>| content.get(range).unwrap_or_default();
    let mut imports = Vec::new();
    let mut parts: Vec<Part> = Vec::new();
    let mut inside = None;
    for event in Parser::new(content) {
        match event {
            Event::Begin {
                kind: SyntaxKind::IMPORT_STMT,
                span,
            } => {
                imports.extend_from_slice(text(span.range()));
                imports.push(b'\n');
            }
            Event::Begin {
                kind: SyntaxKind::RULE_DECL,
                span,
            } => inside = Some(span.range()),
            Event::End {
                kind: SyntaxKind::RULE_DECL,
                ..
            } => inside = None,
            Event::Token {
                kind: SyntaxKind::IDENT,
                span,
            } => {
                let name = String::from_utf8_lossy(text(span.range())).into_owned();
                match (&inside, parts.last_mut()) {
                    (Some(range), Some(part)) if part.range == *range => {
                        part.names.insert(name);
                    }
                    // The first name in a rule is its own.
                    (Some(range), _) => parts.push(Part {
                        name,
                        range: range.clone(),
                        names: HashSet::new(),
                    }),
                    (None, _) => {}
                }
            }
            _ => {}
        }
    }
    parts
        .iter()
        .enumerate()
        .map(|(index, part)| {
            let mut alone = imports.clone();
            for needed in needed_by(&parts, index) {
                alone.extend_from_slice(text(parts[needed].range.clone()));
                alone.push(b'\n');
            }
            (part.name.clone(), alone)
        })
        .collect()
}

/// Returns which rules a rule needs, itself included, in the file's order.
fn needed_by(parts: &[Part], index: usize) -> Vec<usize> {
    let mut needed = vec![index];
    let mut next = 0;
    while let Some(&at) = needed.get(next) {
        next += 1;
        // A rule can refer to those above it only.
        for (other, part) in parts[..at].iter().enumerate() {
            if parts[at].names.contains(&part.name) && !needed.contains(&other) {
                needed.push(other);
            }
        }
    }
    needed.sort_unstable();
    needed
}

#[cfg(test)]
mod tests {
    use squall_types::{Digests, SignatureOrigin};

    use super::*;

    fn file(name: &str, text: &str) -> SourceFile {
        SourceFile {
            name: name.to_owned(),
            content: text.into(),
            origin: SignatureOrigin::Internal,
            modified: None,
            included: Included::default(),
        }
    }

    #[test]
    fn a_file_is_taken_apart_with_what_each_rule_needs() {
        let text = "import \"pe\"\n\
                    private rule Base { strings: $a = \"x\" condition: $a }\n\
                    rule Other : TAG { meta: a = \"Base\" condition: pe.is_pe }\n\
                    rule Top { condition: Middle and not Base }\n\
                    rule Middle { condition: Base }\n\
                    rule Last { condition: Middle }\n";
        let rules = rules_of(text.as_bytes());
        let shown: Vec<_> = rules
            .iter()
            .map(|(name, text)| {
                let text = String::from_utf8_lossy(text);
                let count = text.matches("rule ").count();
                (name.as_str(), count, text.starts_with("import \"pe\""))
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("Base", 1, true),
                ("Other", 1, true),
                ("Top", 2, true),
                ("Middle", 2, true),
                ("Last", 3, true)
            ]
        );
    }

    #[test]
    fn the_expensive_rule_is_found_in_its_file() {
        let files = [
            file("cheap.yar", "rule Cheap { condition: filesize > 3 }"),
            file(
                "mixed.yar",
                "rule Quick { condition: filesize > 4 }\n\
                 rule Slow { condition: for all i in (0..3000000) : (uint8(i % 7) != 300) }",
            ),
            file("keywords.txt", "keyword"),
        ];
        let sample = Sample {
            content: b"0123456789",
            file_name: "sample",
            digests: Digests::default(),
        };
        let measured = |wanted| {
            costs(&files, std::slice::from_ref(&sample), wanted, |_| {}).expect("measured")
        };
        let costs = measured(Wanted::worst(2));
        assert_eq!(costs.files.len(), 2);
        assert_eq!(costs.files[0].file, "mixed.yar");
        assert_eq!(costs.rules[0].rule.as_deref(), Some("Slow"));
        assert!(costs.rules[0].time > Duration::from_millis(1));
        assert!(costs.rules.len() <= 2);
        assert_eq!(measured(Wanted::ALL).rules.len(), 3);
    }

    #[test]
    fn rules_above_a_time_are_wanted_however_many_there_are() {
        let cost = |millis| Cost {
            file: "a.yar".to_owned(),
            rule: Some("A".to_owned()),
            time: Duration::from_millis(millis),
        };
        let wanted = Wanted {
            count: 2,
            above: Duration::from_millis(10),
        };
        for (found, expected) in [
            (&[30, 20, 15, 10, 1][..], &[30, 20, 15][..]),
            (&[30, 1, 2], &[30, 2]),
            (&[1], &[1]),
        ] {
            let mut rules: Vec<_> = found.iter().map(|&millis| cost(millis)).collect();
            wanted.pick(&mut rules);
            let kept: Vec<_> = rules.iter().map(|rule| rule.time.as_millis()).collect();
            assert_eq!(kept, expected);
        }
        let found = [cost(30), cost(20)];
        let is_met = |millis| wanted.is_met(&found, Duration::from_millis(millis));
        assert!(!is_met(11), "such a file may hold a slow rule");
        assert!(is_met(10));
        assert!(!wanted.is_met(&found[..1], Duration::ZERO));
    }
}
