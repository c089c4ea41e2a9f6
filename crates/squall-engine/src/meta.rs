//! What a rule says about itself, made into a match.

use squall_types::{Match, MatchedString, SignatureKind, SignatureOrigin};
use yara_x::{MetaValue, Rule};

/// The sub-score of a rule that does not name one.
const SCORE_DEFAULT: i32 = 75;

/// The longest text kept of one meta value, in characters: descriptions are
/// repeated in every log line.
const TEXT_MAX_CHARS: usize = 1024;

/// How many references, false-positive notes and tags are kept of a rule.
const LIST_MAX: usize = 16;

/// Tells whether a rule is meant for process memory and not for files.
pub(crate) fn is_memory_rule(rule: &Rule<'_, '_>) -> bool {
    rule.metadata().any(|(key, value)| {
        key.eq_ignore_ascii_case("type")
            && matches!(value, MetaValue::String(text) if text.eq_ignore_ascii_case("memory"))
    })
}

/// Makes a match of a rule that matched, with the strings given.
pub(crate) fn match_of(
    rule: &Rule<'_, '_>,
    origin: SignatureOrigin,
    strings: Vec<MatchedString>,
) -> Match {
    let mut found = Match {
        kind: SignatureKind::YaraRule,
        origin,
        rule_name: rule.identifier().to_owned(),
        description: String::new(),
        author: None,
        references: Vec::new(),
        date: None,
        id: None,
        false_positives: Vec::new(),
        tags: rule.tags().map(|tag| tag_of(tag.identifier())).collect(),
        subscore: SCORE_DEFAULT,
        strings,
    };
    let mut modified = None;
    for (key, value) in rule.metadata() {
        apply(&mut found, &mut modified, &key.to_ascii_lowercase(), &value);
    }
    if found.description.is_empty() {
        found.description.clone_from(&found.rule_name);
    }
    found.date = found.date.or(modified);
    found.tags.truncate(LIST_MAX);
    found.tags.sort_unstable();
    found.tags.dedup();
    found
}

fn apply(found: &mut Match, modified: &mut Option<String>, key: &str, value: &MetaValue<'_>) {
    if key == "score" {
        found.subscore = score(value).unwrap_or(SCORE_DEFAULT);
        return;
    }
    let text = text(value);
    found.tags.extend(attack_ids(&text));
    match key {
        "description" | "desc" => found.description = text,
        "author" => found.author = Some(text),
        "date" => found.date = Some(text),
        "modified" => *modified = Some(text),
        "id" | "uuid" => found.id = Some(text),
        _ if is_reference(key) => push(&mut found.references, text),
        _ if key.starts_with("falsepositive") || key.starts_with("false_positive") => {
            push(&mut found.false_positives, text);
        }
        _ => {}
    }
}

/// Returns a rule's tag as it is reported. A tag cannot hold a dot, so rules
/// write the ATT&CK id `T1505.003` as `T1505_003`.
fn tag_of(identifier: &str) -> String {
    let tag = identifier.to_uppercase();
    match tag.split_once('_') {
        Some((technique, part)) if attack_ids(&format!("{technique}.{part}")).len() == 1 => {
            format!("{technique}.{part}")
        }
        _ => tag,
    }
}

fn is_reference(key: &str) -> bool {
    let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
    matches!(stem, "reference" | "references" | "ref")
}

fn push(list: &mut Vec<String>, text: String) {
    if !text.is_empty() && list.len() < LIST_MAX {
        list.push(text);
    }
}

fn score(value: &MetaValue<'_>) -> Option<i32> {
    let number = match value {
        MetaValue::Integer(number) => *number,
        // Some public rules quote the number.
        MetaValue::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    i32::try_from(number.clamp(-100, 100)).ok()
}

fn text(value: &MetaValue<'_>) -> String {
    let text = match value {
        MetaValue::Integer(number) => number.to_string(),
        MetaValue::Float(number) => number.to_string(),
        MetaValue::Bool(truth) => truth.to_string(),
        MetaValue::String(text) => (*text).to_owned(),
        MetaValue::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    };
    match text.char_indices().nth(TEXT_MAX_CHARS) {
        None => text,
        Some((end, _)) => text[..end].to_owned(),
    }
}

/// Finds ATT&CK technique ids (`T1003`, `T1003.001`, also `T1003/001` as in
/// the addresses of their pages) that stand alone in a text.
fn attack_ids(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let digits = |from: usize, count: usize| {
        bytes
            .get(from..from + count)
            .is_some_and(|part| part.iter().all(u8::is_ascii_digit))
            && !bytes.get(from + count).is_some_and(u8::is_ascii_digit)
    };
    let mut ids = Vec::new();
    for (at, _) in text.match_indices('T') {
        let stands_alone = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        if !stands_alone || !digits(at + 1, 4) || ids.len() == LIST_MAX {
            continue;
        }
        let end = at + 5;
        if matches!(bytes.get(end), Some(b'.' | b'/')) && digits(end + 1, 3) {
            ids.push(format!("{}.{}", &text[at..end], &text[end + 1..end + 4]));
        } else if !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric) {
            ids.push(text[at..end].to_owned());
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_match(source: &str) -> Match {
        let rules = yara_x::compile(source).expect("rule compiles");
        let mut scanner = yara_x::Scanner::new(&rules);
        let results = scanner.scan(b"").expect("scan");
        let rule = results.matching_rules().next().expect("match");
        match_of(&rule, SignatureOrigin::Custom, Vec::new())
    }

    #[test]
    fn every_known_meta_key_is_used() {
        let found = first_match(
            r#"rule Known : webshell Two T1505_003 {
                meta:
                    description = "what it is"
                    author = "somebody"
                    score = 60
                    reference = "https://attack.mitre.org/techniques/T1505/003/"
                    reference2 = "second"
                    date = "2020-07-31"
                    modified = "2023-01-01"
                    id = "an-id"
                    falsepositive = "backup tools"
                    mitre = "T1003, T1059.001, XT1111, T12345"
                condition: true }"#,
        );
        assert_eq!(found.rule_name, "Known");
        assert_eq!(found.description, "what it is");
        assert_eq!(found.author.as_deref(), Some("somebody"));
        assert_eq!(found.subscore, 60);
        assert_eq!(found.references.len(), 2);
        assert_eq!(found.date.as_deref(), Some("2020-07-31"));
        assert_eq!(found.id.as_deref(), Some("an-id"));
        assert_eq!(found.false_positives, ["backup tools"]);
        assert_eq!(
            found.tags,
            ["T1003", "T1059.001", "T1505.003", "TWO", "WEBSHELL"]
        );
    }

    #[test]
    fn a_bare_rule_gets_the_defaults() {
        let found = first_match("rule Bare { condition: true }");
        assert_eq!(found.subscore, 75);
        assert_eq!(found.description, "Bare");
        assert_eq!(found.date, None);
    }

    #[test]
    fn scores_are_read_and_bounded() {
        for (meta, expected) in [
            ("score = 400", 100),
            ("score = -400", -100),
            ("score = \"65\"", 65),
            ("score = \"high\"", 75),
            ("score = true", 75),
        ] {
            let source = format!("rule R {{ meta: {meta} condition: true }}");
            assert_eq!(first_match(&source).subscore, expected, "{meta}");
        }
    }

    #[test]
    fn a_long_description_is_cut_between_characters() {
        let source = format!(
            "rule R {{ meta: description = \"{}\" condition: true }}",
            "ü".repeat(3000)
        );
        assert_eq!(first_match(&source).description.chars().count(), 1024);
    }
}
