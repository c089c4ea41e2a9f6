//! The rules in force: searched, and shown as they are written.

use std::collections::HashMap;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use squall_api::v1;

use super::findings::{search, segment, turn};
use super::library::ask;
use super::parameters::{RuleParameters, RuleSourceParameters};
use crate::failure::Failure;
use crate::library::{LibraryError, RuleFacts, SignatureLibrary};
use crate::query::Query;
use crate::reply;
use crate::service::Service;

/// Rules of a page by default, and at most.
const RULES_DEFAULT: i64 = 50;
const RULES_MAX: i64 = 500;
/// Most of a rule's text that is shown.
const RULE_LEN_MAX: usize = 64 * 1024;

/// Searches the rules in force, by name
#[utoipa::path(
    get,
    path = "/api/v1/signatures/rules",
    operation_id = "rules",
    tag = "console",
    params(RuleParameters),
    responses(
        (status = 200, description = "A page of rules", body = v1::RulePage),
        (status = 400, description = "A parameter makes no sense", body = v1::Error),
        (status = 404, description = "This service does not load signatures itself", body = v1::Error),
    )
)]
pub(crate) async fn rules(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let query = Query::of(request.uri());
    let words: Vec<String> = query
        .first("q")
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_lowercase)
        .collect();
    let origin = query.single("origin")?.unwrap_or_default().to_owned();
    if !["", "internal", "custom", "external"].contains(&origin.as_str()) {
        let reason = "the parameter `origin` is none of `internal`, `custom` and `external`";
        return Err(Failure::BadRequest(reason.into()));
    }
    let limit = bounded(&query, "limit", RULES_DEFAULT, RULES_MAX)?;
    let offset = bounded(&query, "offset", 0, i64::MAX)?;
    let (total, rules, times) = ask_in_turn(&service, move |library| {
        let mut rules = library.rules();
        rules.retain(|rule| is_meant(rule, &words, &origin));
        rules.sort_by(|a, b| (&a.name, &a.file).cmp(&(&b.name, &b.file)));
        let total = rules.len();
        let page: Vec<_> = rules.into_iter().skip(offset).take(limit).collect();
        Ok((total, page, times(library.costs())))
    })
    .await?;
    let hits = hits(&service, &rules).await?;
    let shown = rules.len();
    let page = v1::RulePage {
        total: total as u64,
        next: (offset + shown < total && shown > 0).then_some((offset + shown) as u64),
        rules: rules
            .into_iter()
            .enumerate()
            .map(|(index, rule)| {
                let hits = hits.as_ref().and_then(|hits| hits.get(index).copied());
                let time = times.get(&(rule.file.clone(), rule.name.clone()));
                row(rule, hits, time.copied())
            })
            .collect(),
    };
    Ok(reply::json(&page, query.pretty()))
}

/// Shows the text of a rule
///
/// As the rule's file has it now, which may be newer than the set in force.
#[utoipa::path(
    get,
    path = "/api/v1/signatures/rules/{name}",
    operation_id = "ruleSource",
    tag = "console",
    params(("name" = String, Path, description = "The rule"), RuleSourceParameters),
    responses(
        (status = 200, description = "The text", body = v1::RuleSource),
        (status = 404, description = "No rule in force is named like that, or its file is gone", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
    )
)]
pub(crate) async fn rule_source(
    State(service): State<Service>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let name = segment(name)?;
    let query = Query::of(request.uri());
    let wanted = query.first("file").unwrap_or_default().to_owned();
    let found = ask_in_turn(&service, move |library| {
        // Only files of the set in force are read.
        let rules = library.rules();
        let rule = rules
            .into_iter()
            .find(|rule| rule.name == name && (wanted.is_empty() || rule.file == wanted));
        let Some(rule) = rule else {
            return Ok(None);
        };
        let source = library.source(&rule.file, &rule.name)?;
        Ok(source.map(|(line, text)| (rule, line, text)))
    })
    .await?;
    let (rule, line, mut text) = found.ok_or_else(no_rule)?;
    text.truncate(text.floor_char_boundary(RULE_LEN_MAX));
    let source = v1::RuleSource {
        name: rule.name,
        file: rule.file,
        line,
        text,
    };
    Ok(reply::json(&source, query.pretty()))
}

/// Asks the library in turn with searches: everybody may, and it costs.
async fn ask_in_turn<T: Send + 'static>(
    service: &Service,
    question: impl FnOnce(&dyn SignatureLibrary) -> Result<T, LibraryError> + Send + 'static,
) -> Result<T, Failure> {
    let turn = turn(service).await?;
    ask(service, move |library| {
        let _turn = turn;
        question(library)
    })
    .await
}

/// Counts the findings of each rule, where findings are kept.
async fn hits(service: &Service, rules: &[RuleFacts]) -> Result<Option<Vec<u64>>, Failure> {
    let names = rules.iter().map(|rule| rule.name.clone()).collect();
    count_hits(service, names).await
}

/// Counts the findings of rules by their names, where findings are kept.
pub(super) async fn count_hits(
    service: &Service,
    names: Vec<String>,
) -> Result<Option<Vec<u64>>, Failure> {
    if service.findings().is_none() {
        return Ok(None);
    }
    let hits = search(service, move |findings| findings.rule_hits(&names)).await?;
    Ok(Some(hits))
}

fn is_meant(rule: &RuleFacts, words: &[String], origin: &str) -> bool {
    if !origin.is_empty() && rule.origin != origin {
        return false;
    }
    let text = format!(
        "{} {} {} {} {}",
        rule.name,
        rule.description,
        rule.tags.join(" "),
        rule.author.as_deref().unwrap_or_default(),
        rule.file
    );
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

fn bounded(query: &Query, name: &str, default: i64, max: i64) -> Result<usize, Failure> {
    let value = query.integer(name)?.unwrap_or(default);
    if value < default.min(1) {
        let reason = format!("the parameter `{name}` is too small");
        return Err(Failure::BadRequest(reason.into()));
    }
    Ok(usize::try_from(value.min(max)).unwrap_or_default())
}

/// Returns the times of the rules that were measured, by file and name; none
/// of a set that is not in force any more.
fn times(costs: v1::RuleCosts) -> HashMap<(String, String), f64> {
    let measured = costs.measured.filter(|measured| !measured.of_older_set);
    let rules = measured.map(|measured| measured.rules).unwrap_or_default();
    let timed = rules
        .into_iter()
        .filter_map(|cost| Some(((cost.file, cost.rule?), cost.microseconds)));
    timed.collect()
}

fn row(rule: RuleFacts, hits: Option<u64>, microseconds: Option<f64>) -> v1::RuleRow {
    v1::RuleRow {
        name: rule.name,
        file: rule.file,
        origin: rule.origin.to_owned(),
        score: rule.score,
        description: rule.description,
        author: rule.author,
        date: rule.date,
        tags: rule.tags,
        hits,
        microseconds,
    }
}

fn no_rule() -> Failure {
    Failure::Absent(
        "no rule in force is named like that, or its file does not have it any more".into(),
    )
}
