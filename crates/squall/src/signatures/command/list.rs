//! `squall signatures list`: which rules there are.

use std::collections::BTreeMap;

use clap::ArgMatches;
use serde::Serialize;
use squall_types::Match;

use super::check::Figures;
use super::{Ended, JSON, print_json, selection, unread, visible};
use crate::banner;
use crate::signatures;

/// The answer in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    figures: Figures<'a>,
    files: Vec<File<'a>>,
    rules: Vec<Rule<'a>>,
    errors: Vec<String>,
}

#[derive(Serialize)]
struct File<'a> {
    file: &'a str,
    origin: &'static str,
    rules: u64,
}

#[derive(Serialize)]
struct Rule<'a> {
    name: &'a str,
    score: i32,
    tags: &'a [String],
    origin: &'static str,
    file: &'a str,
    description: &'a str,
    author: Option<&'a str>,
    date: Option<&'a str>,
    id: Option<&'a str>,
    references: &'a [String],
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<Ended> {
    let selection = selection(matches)?;
    let read = selection.read()?;
    let errors = unread(&read);
    let set = signatures::compile(&read.files, selection.options())?;
    let rules: Vec<_> = set.rule_list().collect();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (file, _) in &rules {
        *counts.entry(file).or_default() += 1;
    }
    let is_complete = errors.is_empty();
    if matches.get_flag(JSON) {
        let files = read.files.iter().map(|file| File {
            file: &file.name,
            origin: file.origin.name(),
            rules: counts.get(file.name.as_str()).copied().unwrap_or(0),
        });
        print_json(&Answer {
            figures: Figures::of(&set),
            files: files.collect(),
            rules: rules.iter().map(|(file, rule)| shown(file, rule)).collect(),
            errors,
        })?;
    } else {
        let lines = rules.iter().map(|(file, rule)| line(file, rule));
        banner::print(&lines.collect::<String>());
        let summary = set.summary();
        banner::print(&format!(
            "{} rules in {} files, {} IOCs; version {}, {}",
            summary.rules,
            read.files.len(),
            summary.iocs,
            summary.version,
            summary.engine
        ));
    }
    Ok(if is_complete {
        Ended::Clean
    } else {
        Ended::Incomplete
    })
}

fn line(file: &str, rule: &Match) -> String {
    format!(
        "{:>4}  {:8}  {}  [{}]  {}\n",
        rule.subscore,
        rule.origin.name(),
        rule.rule_name,
        visible(&rule.tags.join(" ")),
        visible(file)
    )
}

fn shown<'a>(file: &'a str, rule: &'a Match) -> Rule<'a> {
    Rule {
        name: &rule.rule_name,
        score: rule.subscore,
        tags: &rule.tags,
        origin: rule.origin.name(),
        file,
        description: &rule.description,
        author: rule.author.as_deref(),
        date: rule.date.as_deref(),
        id: rule.id.as_deref(),
        references: &rule.references,
    }
}
