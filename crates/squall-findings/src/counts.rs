//! How many findings there were: minute by minute, and of a rule.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::Connection;
use squall_api::v1::{LevelCounts, MinuteFindings};
use squall_types::Level;

use crate::error::FindingsError;
use crate::insert::{ID_STEP_US, id_of_time};
use crate::number::{LEVELS, count, of_level};

const MINUTE_US: i64 = 60_000_000;
/// Findings of a rule are counted up to this.
const HITS_MAX: i64 = 10_000;

/// Counts the findings of the last `minutes` minutes, the running one included;
/// minutes without any are there.
pub(crate) fn minutes(
    connection: &Connection,
    now_us: i64,
    minutes: u32,
) -> Result<Vec<MinuteFindings>, FindingsError> {
    let failed = FindingsError::during("count the findings by minute");
    let last = now_us.div_euclid(MINUTE_US);
    let first = last - i64::from(minutes.max(1)) + 1;
    let mut counts: BTreeMap<i64, LevelCounts> = BTreeMap::new();
    // Ids are made of times, so that the index of levels alone answers this.
    let sql = format!(
        "SELECT id / {}, count(*) FROM finding INDEXED BY finding_level
         WHERE level = ? AND id >= ? GROUP BY 1",
        MINUTE_US / ID_STEP_US
    );
    let mut statement = connection.prepare_cached(&sql).map_err(&failed)?;
    for level in LEVELS {
        let since = id_of_time(first * MINUTE_US);
        let rows = statement
            .query_map((of_level(level), since), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .map_err(&failed)?;
        for row in rows {
            let (minute, found): (i64, i64) = row.map_err(&failed)?;
            let counts = counts.entry(minute).or_default();
            match level {
                Level::Alert => counts.alert = count(found),
                Level::Warning => counts.warning = count(found),
                Level::Notice => counts.notice = count(found),
            }
        }
    }
    let minute = |minute: i64| MinuteFindings {
        time: Timestamp::from_second(minute * 60)
            .unwrap_or(Timestamp::UNIX_EPOCH)
            .to_string(),
        findings: counts.get(&minute).copied().unwrap_or_default(),
    };
    Ok((first..=last).map(minute).collect())
}

/// Counts the findings in which each of the rules matched, up to a limit.
pub(crate) fn rule_hits(
    connection: &Connection,
    rules: &[String],
) -> Result<Vec<u64>, FindingsError> {
    let failed = FindingsError::during("count the findings of a rule");
    let sql = "SELECT count(*) FROM (SELECT 1 FROM finding_rule
         WHERE rule = (SELECT id FROM rule WHERE name = ?) LIMIT ?)";
    let mut statement = connection.prepare_cached(sql).map_err(&failed)?;
    rules
        .iter()
        .map(|rule| {
            let found = statement.query_row((rule, HITS_MAX), |row| row.get(0));
            found.map(count).map_err(&failed)
        })
        .collect()
}
