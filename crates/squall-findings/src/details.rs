//! All that is known of one finding.

use rusqlite::{Connection, OptionalExtension as _, params};
use squall_api::v1::{
    Finding, FindingDetails, FindingRow, Levels, Review, Share, Sighting, SightingBy,
};

use crate::error::FindingsError;
use crate::number::{self, count};
use crate::record::{self, unhex};
use crate::row;

/// Other findings of the content that are counted: an incident asks which
/// hosts have the file.
const OF_CONTENT_MAX: i64 = 1000;
/// Other findings of the name, and of each rule, that are counted. Each is
/// somewhere else on the disk, and a page asks for a dozen of such lists.
const OF_OTHERS_MAX: i64 = 100;
/// Other findings shown for one thing they share.
const SHOWN_MAX: i64 = 10;
/// Rules whose other findings are counted.
const RULES_MAX: usize = 10;

pub(crate) fn details(
    connection: &Connection,
    event_id: &str,
) -> Result<Option<FindingDetails>, FindingsError> {
    let failed = FindingsError::during("read a finding");
    let id: Option<i64> = connection
        .prepare_cached("SELECT id FROM finding WHERE event_id = ?1")
        .and_then(|mut statement| statement.query_row([event_id], |row| row.get(0)).optional())
        .map_err(&failed)?;
    let Some(id) = id else {
        return Ok(None);
    };
    let (Some(summary), Some(line)) = (
        row::read(connection, id).map_err(&failed)?,
        row::line(connection, id)?,
    ) else {
        return Ok(None);
    };
    let finding: Finding = serde_json::from_slice(&line).map_err(|_| FindingsError::Document)?;
    Ok(Some(FindingDetails {
        shares: shares(&finding),
        review: review(connection, event_id).map_err(&failed)?,
        sightings: sightings(connection, id, &summary).map_err(&failed)?,
        // What the store cannot know, its caller adds.
        lookups: Vec::new(),
        sample_kept: false,
        trusted: None,
        trusted_in_force: false,
        levels: Levels::default(),
        sample_sha256: sample_sha256(connection, id, &summary, &finding).map_err(&failed)?,
        summary,
        finding,
    }))
}

/// Returns the digest of the sample that a finding is of. Of the sample itself
/// and of its members the finding tells it; of what is deeper, the store.
fn sample_sha256(
    connection: &Connection,
    id: i64,
    summary: &FindingRow,
    finding: &Finding,
) -> rusqlite::Result<Option<String>> {
    let parent = || {
        let context = finding.context.as_ref()?.first()?;
        Some(context.object.hashes.as_ref()?.sha256.clone())
    };
    match summary.depth {
        0 => Ok(summary.sha256.clone()),
        1 => Ok(parent()),
        _ => {
            let stored: Option<[u8; 32]> = connection
                .prepare_cached("SELECT sample_sha256 FROM finding WHERE id = ?1")?
                .query_row([id], |row| row.get(0))?;
            Ok(stored.map(|digest| record::hex(&digest)))
        }
    }
}

/// Returns what each reason adds to the score.
fn shares(finding: &Finding) -> Vec<Share> {
    let signatures = || finding.reasons.iter().map(|reason| &reason.signature);
    let subscores: Vec<i32> = signatures().map(|signature| signature.score).collect();
    squall_types::score_shares(&subscores)
        .into_iter()
        .zip(signatures())
        .map(|(points, signature)| Share {
            rule: match signature.rule_name.as_deref() {
                Some(name) if !name.is_empty() => name.to_owned(),
                _ => signature.kind.clone(),
            },
            subscore: signature.score,
            points,
        })
        .collect()
}

/// Reads what an analyst made of a finding.
pub(crate) fn review(connection: &Connection, event_id: &str) -> rusqlite::Result<Option<Review>> {
    connection
        .prepare_cached("SELECT state, note, who, time_us FROM review WHERE event_id = ?1")?
        .query_row([event_id], |row| {
            Ok(Review {
                state: number::review(row.get(0)?),
                note: row.get(1)?,
                who: row.get(2)?,
                time: row::time(row.get(3)?),
            })
        })
        .optional()
}

fn sightings(
    connection: &Connection,
    id: i64,
    summary: &FindingRow,
) -> rusqlite::Result<Vec<Sighting>> {
    let mut sightings = Vec::new();
    let digest = summary.sha256.as_deref();
    if let Some((text, bytes)) = digest.and_then(|text| Some((text, unhex(text, 32)?))) {
        let list = "SELECT f.id FROM finding f INDEXED BY finding_sha256
            WHERE f.sha256 IS NOT NULL AND f.sha256 = ?1 ORDER BY f.id DESC";
        sightings.push(sighting(
            connection,
            id,
            list,
            &bytes,
            (SightingBy::Hash, text),
        )?);
    }
    let base = record::base(&summary.name);
    if !base.is_empty() {
        let list = "SELECT f.id FROM finding f INDEXED BY finding_base
            WHERE f.base = ?1 ORDER BY f.id DESC";
        sightings.push(sighting(
            connection,
            id,
            list,
            &base,
            (SightingBy::Name, &base),
        )?);
    }
    for rule in summary.rules.iter().take(RULES_MAX) {
        let list = "SELECT l.finding AS id FROM finding_rule l
            WHERE l.rule = (SELECT id FROM rule WHERE name = ?1) ORDER BY l.finding DESC";
        let shared = (SightingBy::Rule, rule.name.as_str());
        sightings.push(sighting(connection, id, list, &rule.name, shared)?);
    }
    Ok(sightings)
}

/// Counts the other findings of a list, and reads the newest.
fn sighting(
    connection: &Connection,
    id: i64,
    list: &str,
    value: &dyn rusqlite::ToSql,
    (by, shown): (SightingBy, &str),
) -> rusqlite::Result<Sighting> {
    let most = match by {
        SightingBy::Hash => OF_CONTENT_MAX,
        SightingBy::Name | SightingBy::Rule => OF_OTHERS_MAX,
    };
    // The finding itself is in its lists too.
    let limit = most + 2;
    let sql = format!(
        "SELECT count(*), count(DISTINCT f.source)
         FROM ({list} LIMIT {limit}) l CROSS JOIN finding f ON f.id = l.id WHERE l.id <> ?2"
    );
    let (findings, sources): (i64, i64) = connection
        .prepare_cached(&sql)?
        .query_row(params![value, id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let sql = format!(
        "SELECT l.id FROM ({list} LIMIT {}) l WHERE l.id <> ?2",
        SHOWN_MAX + 1
    );
    let mut latest: Vec<i64> = connection
        .prepare_cached(&sql)?
        .query_map(params![value, id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    latest.truncate(usize::try_from(SHOWN_MAX).unwrap_or(usize::MAX));
    Ok(Sighting {
        by,
        value: shown.to_owned(),
        findings: count(findings.min(most)),
        sources: count(sources),
        more: findings > most,
        latest: row::read_all(connection, &latest)?,
    })
}
