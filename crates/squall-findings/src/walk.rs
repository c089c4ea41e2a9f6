//! Walks down the driver of a plan, for one page: so far and no further.
//!
//! A search for what hardly any finding has would look at all of them, and take
//! the longer the more are kept. It ends after a number of findings instead,
//! and the next page begins there.

use std::ops::Range;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use crate::plan::{List, Plan};

/// How far the driver is walked down at first, and how far at most for one
/// page.
const FIRST_STEP: usize = 5_000;
const LOOKED_MAX: usize = 75_000;

/// What a page holds.
#[derive(Debug)]
pub(crate) struct Walked {
    /// Ids of findings, newest first.
    pub(crate) ids: Vec<i64>,
    /// The finding that was looked at last, where the search did not come to
    /// the end of its list and found fewer than were wanted.
    pub(crate) end: Option<i64>,
}

impl Plan {
    /// Returns the ids of the next `count` findings below `before`, newest
    /// first; fewer, if they are too far down.
    pub(crate) fn ids(
        &self,
        connection: &Connection,
        before: Option<i64>,
        count: usize,
    ) -> rusqlite::Result<Walked> {
        self.ids_within(connection, before, count, LOOKED_MAX)
    }

    fn ids_within(
        &self,
        connection: &Connection,
        before: Option<i64>,
        count: usize,
        looked_max: usize,
    ) -> rusqlite::Result<Walked> {
        let mut values: Vec<Option<i64>> = self.driver.each.iter().copied().map(Some).collect();
        if values.is_empty() {
            values.push(None);
        }
        let looked_max = (looked_max / values.len()).max(1);
        let before = before.unwrap_or(i64::MAX).min(self.highest);
        let mut ids = Vec::new();
        let mut end = None;
        for value in values {
            let walked = self.walk(connection, value, before, count, looked_max)?;
            ids.extend(walked.ids);
            end = end.max(walked.end);
        }
        ids.sort_unstable_by(|a, b| b.cmp(a));
        if let Some(end) = end {
            // One list may have been walked further down than another.
            ids.retain(|&id| id >= end);
        }
        ids.truncate(count);
        let end = end.filter(|_| ids.len() < count);
        Ok(Walked { ids, end })
    }

    /// Walks down one list of the driver, in two steps: most searches have
    /// their page after the first.
    fn walk(
        &self,
        connection: &Connection,
        value: Option<i64>,
        before: i64,
        count: usize,
        looked_max: usize,
    ) -> rusqlite::Result<Walked> {
        let whole = self.lowest..before;
        if self.tests.is_empty() {
            let ids = self.found(connection, value, whole, count)?;
            return Ok(Walked { ids, end: None });
        }
        let mut ids = Vec::new();
        let mut high = before;
        for step in [FIRST_STEP.min(looked_max), looked_max] {
            let floor = self.floor(connection, value, whole.clone(), step)?;
            let range = floor.unwrap_or(self.lowest)..high;
            ids.extend(self.found(connection, value, range, count - ids.len())?);
            let Some(floor) = floor.filter(|_| ids.len() < count) else {
                return Ok(Walked { ids, end: None });
            };
            high = floor;
        }
        Ok(Walked {
            ids,
            end: Some(high),
        })
    }

    /// Returns the id of the `nth` entry of a list of the driver, from above.
    fn floor(
        &self,
        connection: &Connection,
        value: Option<i64>,
        range: Range<i64>,
        nth: usize,
    ) -> rusqlite::Result<Option<i64>> {
        let id = self.driver.id;
        let (mut sql, mut values) = self.listed(self.driver.alone(), value, range);
        sql.push_str(&format!(" ORDER BY {id} DESC LIMIT 1 OFFSET ?"));
        values.push(i64::try_from(nth - 1).unwrap_or(i64::MAX).into());
        connection
            .prepare_cached(&sql)?
            .query_row(params_from_iter(values), |row| row.get(0))
            .optional()
    }

    /// Begins the query of a list of the driver, between two ids.
    fn listed(&self, from: &str, value: Option<i64>, range: Range<i64>) -> (String, Vec<Value>) {
        let id = self.driver.id;
        let mut sql = format!("SELECT {id} FROM {from} WHERE {id} >= ? AND {id} < ?");
        let mut values: Vec<Value> = vec![range.start.into(), range.end.into()];
        if let Some(select) = &self.driver.select {
            sql.push_str(" AND ");
            sql.push_str(&select.sql);
            values.extend(select.values.iter().cloned());
            values.extend(value.map(Value::from));
        }
        (sql, values)
    }

    /// Returns those of a list that pass the tests.
    fn found(
        &self,
        connection: &Connection,
        value: Option<i64>,
        range: Range<i64>,
        count: usize,
    ) -> rusqlite::Result<Vec<i64>> {
        let List { from, id, .. } = self.driver;
        let (mut sql, mut values) = self.listed(from, value, range);
        for test in &self.tests {
            sql.push_str(" AND ");
            sql.push_str(&test.sql);
            values.extend(test.values.iter().cloned());
        }
        sql.push_str(&format!(" ORDER BY {id} DESC LIMIT ?"));
        values.push(i64::try_from(count).unwrap_or(i64::MAX).into());
        connection
            .prepare_cached(&sql)?
            .query_map(params_from_iter(values), |row| row.get(0))?
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use squall_types::Level;

    use super::*;
    use crate::filter::Filter;
    use crate::schema;

    /// A store of that many findings; every seventh is called `x`.
    fn store(count: i64) -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        // Sources and runs are not what this is about.
        connection
            .pragma_update(None, "foreign_keys", false)
            .unwrap();
        crate::database::add_functions(&connection).unwrap();
        let transaction = connection.transaction().unwrap();
        for id in 1..=count {
            let name = if id % 7 == 0 { "Xq" } else { "other.txt" };
            transaction
                .execute(
                    "INSERT INTO finding (id, event_id, time_us, level, score, source, run, name,
                        base, depth, type, size, reasons, rules, tags, issues)
                     VALUES (?1, ?1, ?1, 1 + ?1 % 3, ?1 % 101, 1, 1, ?2, '', 0, '', 0, 0, '', '', 0)",
                    (id, name),
                )
                .unwrap();
        }
        transaction.commit().unwrap();
        connection
    }

    #[test]
    fn pages_that_end_early_have_everything_together() {
        let connection = store(500);
        let named = |levels: &[Level], score_min| Filter {
            name: Some("xq".to_owned()),
            levels: levels.to_vec(),
            score_min,
            ..Filter::default()
        };
        let absent = Filter {
            name: Some("zz".to_owned()),
            ..Filter::default()
        };
        for filter in [
            named(&[], None),
            named(&[Level::Notice, Level::Alert], None),
            named(&[Level::Warning], Some(30)),
            named(&[], Some(90)),
            absent,
        ] {
            let plan = Plan::of(&connection, &filter).unwrap().unwrap();
            let all = plan.ids(&connection, None, 1000).unwrap();
            assert_eq!(all.end, None);
            for looked_max in [1, 7, 60, 10_000] {
                let mut ids: Vec<i64> = Vec::new();
                let mut before = None;
                loop {
                    let page = plan.ids_within(&connection, before, 5, looked_max).unwrap();
                    ids.extend(&page.ids);
                    let next = match page.ids.len() {
                        5 => page.ids.last().copied(),
                        _ => page.end,
                    };
                    if next.is_none() {
                        break;
                    }
                    assert!(
                        before.is_none_or(|before| next < Some(before)),
                        "it goes on"
                    );
                    before = next;
                }
                assert_eq!(ids, all.ids, "{looked_max} of {filter:?}");
            }
        }
    }
}
