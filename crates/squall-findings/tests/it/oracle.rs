//! Every filter against a plain list in memory.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use squall_api::v1::ReviewState;
use squall_findings::{Filter, Hash, NewReview};
use squall_types::Level;

use crate::support::{Made, Store};

const LEVELS: [Level; 3] = [Level::Notice, Level::Warning, Level::Alert];
const SOURCES: [&str; 4] = ["web-01", "db", "\"><script>", "ürsprung"];
const RULES: [&str; 4] = ["WEBSHELL_Jsp", "HKTL_Mimikatz", "Susp_A", "SUSP_B"];
const TAGS: [&str; 3] = ["T1059", "APT", "EXE"];
const RUNS: [&str; 2] = ["run-1", "run-2"];
const NAMES: [&str; 8] = [
    r"C:\Windows\System32\evil.exe",
    "/var/www/html/shell.php",
    "outer.zip|inner/Shell.PHP",
    "ÄÖÜ/straße.txt",
    "a",
    "",
    "nul\0name.bin",
    "=cmd()\r\n\u{202e}txt.exe",
];
const MATCHED: [&[u8]; 5] = [
    b"sekurlsa::logonpasswords",
    b"eval(base64_decode(",
    b"m\0i\0m\0i\0",
    b"\xff\xfe\x90\x90binary",
    b"",
];
const NEEDLES: [&str; 10] = [
    "shell",
    "SHELL.p",
    "ex",
    "straße",
    "Ä",
    "windows\\sys",
    "|inner",
    "\0name",
    "nothing like it",
    "\"",
];
const SEARCHES: [&str; 10] = [
    "mimikatz",
    "shell php",
    "sekurlsa LOGONPASSWORDS",
    "mim*",
    "eval -base64_decode",
    "binary",
    "mimi",
    "none",
    "strasse",
    "web* exe",
];
/// Between two times: enough for all findings of one time to have ids of their own.
const STEP_US: i64 = 6400;

/// An instant that the times lie around; in the past, and young enough to be kept.
fn origin_us() -> i64 {
    crate::support::now_us() - 3_600_000_000
}

fn made(number: u32, origin: i64) -> impl Strategy<Value = Made> {
    let first = (
        // Several findings have the same time, and they do not come in order.
        0_i64..20,
        select(LEVELS.to_vec()),
        prop_oneof![Just(0_u8), 40_u8..=100],
        select(SOURCES.to_vec()),
        option::of(select(RUNS.to_vec())),
    );
    let second = (
        select(NAMES.to_vec()),
        0_u8..4,
        proptest::sample::subsequence(RULES.to_vec(), 0..=3),
        proptest::sample::subsequence(TAGS.to_vec(), 0..=2),
        select(MATCHED.to_vec()),
    );
    (first, second).prop_map(move |((time, level, score, source, run), second)| {
        let (name, content, rules, tags, matched) = second;
        Made {
            number,
            time_us: origin + time * STEP_US,
            level,
            score,
            source: source.to_owned(),
            run: run.map(str::to_owned),
            name: name.to_owned(),
            content,
            rules: rules.into_iter().map(str::to_owned).collect(),
            tags: tags.into_iter().map(str::to_owned).collect(),
            matched: matched.to_vec(),
        }
    })
}

fn filter(origin: i64) -> impl Strategy<Value = Filter> {
    let rarely = |strategy| option::weighted(0.25, strategy);
    let first = (
        prop_oneof![3 => Just(Vec::new()), 1 => vec(select(LEVELS.to_vec()), 1..3)],
        option::weighted(0.2, 30_u8..=110),
        option::weighted(0.2, 0_u8..=100),
        rarely(select(SOURCES.to_vec())),
        rarely(select(RULES.to_vec())),
        rarely(select([&TAGS[..], &["UNKNOWN"]].concat())),
    );
    let second = (
        option::weighted(0.2, 0_i64..21),
        option::weighted(0.2, 0_i64..21),
        option::weighted(0.2, (0_u8..5, 0_usize..3)),
        rarely(select(NEEDLES.to_vec())),
        rarely(select(RUNS.to_vec())),
        rarely(select(SEARCHES.to_vec())),
        option::weighted(0.2, select(ReviewState::ALL.to_vec())),
    );
    (first, second).prop_map(move |(first, second)| {
        let (levels, score_min, score_max, source, rule, tag) = first;
        let (since, until, hash, name, run, text, review) = second;
        let time = |steps: i64| origin + steps * STEP_US;
        Filter {
            levels,
            score_min,
            score_max,
            source: source.map(str::to_owned),
            rule: rule.map(str::to_owned),
            tag: tag.map(str::to_owned),
            since_us: since.map(time),
            until_us: until.map(time),
            hash: hash.map(|(content, kind)| {
                let len = [16, 20, 32][kind];
                Hash::parse(&format!("{content:02X}").repeat(len)).unwrap()
            }),
            name: name.map(str::to_owned),
            scan_id: run.map(str::to_owned),
            text: text.map(str::to_owned),
            review,
        }
    })
}

/// What the filter says, said once more in the plainest way.
fn meets(made: &Made, review: ReviewState, filter: &Filter) -> bool {
    let run = made.run.as_deref().unwrap_or("S-service");
    let hashes = [16, 20, 32].map(|len| Hash::parse(&format!("{:02x}", made.content).repeat(len)));
    let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|w| w == value);
    let among = |wanted: &Option<String>, values: &[String]| {
        wanted.as_ref().is_none_or(|w| values.contains(w))
    };
    // A finding without a matching rule has no tags either.
    let tags = if made.rules.is_empty() {
        &[][..]
    } else {
        &made.tags
    };
    (filter.levels.is_empty() || filter.levels.contains(&made.level))
        && filter
            .score_min
            .is_none_or(|min| made.score >= min.min(100))
        && filter.score_max.is_none_or(|max| made.score <= max)
        && is(&filter.source, &made.source)
        && is(&filter.scan_id, run)
        && among(&filter.rule, &made.rules)
        && among(&filter.tag, tags)
        && filter.since_us.is_none_or(|since| made.time_us >= since)
        && filter.until_us.is_none_or(|until| made.time_us < until)
        && (filter.hash.is_none() || hashes.contains(&filter.hash))
        && filter
            .name
            .as_ref()
            .is_none_or(|n| made.name.to_lowercase().contains(&n.to_lowercase()))
        && filter
            .text
            .as_deref()
            .is_none_or(|text| has_words(made, text))
        && filter.review.is_none_or(|wanted| review == wanted)
}

fn has_words(made: &Made, search: &str) -> bool {
    let mut text = made.name.clone();
    for rule in &made.rules {
        let tags = made.tags.join(" ");
        let matched = String::from_utf8_lossy(&made.matched).replace('\0', "");
        text = format!("{text} {rule} {tags} {matched}");
    }
    let words = |text: &str| -> Vec<String> {
        text.to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let text = words(&text);
    search.split_whitespace().all(|part| {
        let wanted = words(part);
        let open = part.ends_with('*');
        wanted.iter().enumerate().all(|(index, wanted_word)| {
            let open = open && index + 1 == wanted.len() && wanted_word.chars().count() >= 3;
            text.iter()
                .any(|word| word == wanted_word || (open && word.starts_with(wanted_word)))
        })
    })
}

/// Newest first; of the same time, the one that came last.
fn expected(all: &[(Made, ReviewState)], filter: &Filter) -> Vec<String> {
    let mut met: Vec<(usize, &Made)> = all
        .iter()
        .enumerate()
        .filter(|(_, (made, review))| meets(made, *review, filter))
        .map(|(index, (made, _))| (index, made))
        .collect();
    met.sort_by_key(|(index, made)| std::cmp::Reverse((made.time_us, *index)));
    met.into_iter().map(|(_, made)| made.event_id()).collect()
}

fn cases() -> u32 {
    match std::env::var_os("SQUALL_SOAK") {
        Some(_) => 400,
        None => 24,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn every_filter_finds_what_it_says(
        (all, filters) in Just(origin_us()).prop_flat_map(|origin| {
            let findings: Vec<_> = (0..60).map(|number| made(number, origin)).collect();
            let reviewed = vec(select(ReviewState::ALL.to_vec()), 60);
            let all = (findings, reviewed)
                .prop_map(|(findings, states)| findings.into_iter().zip(states).collect::<Vec<_>>());
            (all, vec((filter(origin), 1_usize..30), 40))
        })
    ) {
        let store = Store::new();
        let reports: Vec<_> = all.iter().map(|(made, _)| made.report()).collect();
        store.feed(&reports);
        for (made, state) in &all {
            if *state != ReviewState::Open {
                let review = NewReview {
                    event_id: made.event_id(),
                    state: *state,
                    note: String::new(),
                    who: String::new(),
                    time_us: made.time_us,
                };
                prop_assert!(store.findings.review(review).unwrap().is_some());
            }
        }
        for (filter, limit) in &filters {
            let found: Vec<_> = store
                .all(filter, *limit)
                .into_iter()
                .map(|row| row.event_id)
                .collect();
            prop_assert_eq!(found, expected(&all, filter), "{:?}", filter);
        }
    }
}
