//! Finds the way through the tables that looks at the fewest findings.
//!
//! Every list is in the order of time, so a page needs no sorting: the search
//! walks down one list, the driver, and drops what fails the other conditions
//! (`walk.rs`).
//! Which list is the shortest is counted up to a limit. SQLite's own planner
//! knows averages only, and one rule may have one finding or a million.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use crate::filter::Filter;
use crate::insert::{ID_SPILL_MAX, id_of_time};
use crate::{number, text};

/// How far a list is counted: walking down one of this length is quick.
const COUNTED_MAX: i64 = 10_000;

/// A condition with its parameters, for which `?` stands.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Condition {
    fn always() -> Self {
        Self {
            sql: "1".to_owned(),
            values: Vec::new(),
        }
    }
}

/// A list of findings that can be walked down.
#[derive(Clone, Debug)]
pub(crate) struct List {
    /// `FROM` clause.
    pub(crate) from: &'static str,
    /// The column with the finding's id.
    pub(crate) id: &'static str,
    /// What selects the list; `None` for all findings.
    pub(crate) select: Option<Condition>,
    /// The values of the list's column: the lists of several values are walked
    /// one after the other.
    pub(crate) each: Vec<i64>,
    /// How findings of other lists are tested for being in this one.
    test: Condition,
}

/// A search that is ready to be run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) driver: List,
    pub(crate) tests: Vec<Condition>,
    pub(crate) lowest: i64,
    pub(crate) highest: i64,
}

impl Plan {
    /// Makes the plan, or returns `None` if nothing can be found.
    pub(crate) fn of(connection: &Connection, filter: &Filter) -> rusqlite::Result<Option<Self>> {
        let Some(mut lists) = lists(connection, filter)? else {
            return Ok(None);
        };
        let lowest = filter.since_us.map_or(i64::MIN, id_of_time);
        let highest = filter.until_us.map_or(i64::MAX, |time| {
            id_of_time(time).saturating_add(ID_SPILL_MAX)
        });
        let mut tests = conditions(filter);
        let mut shortest: Option<(usize, i64)> = None;
        for (index, list) in lists.iter().enumerate() {
            let length = list.counted(connection, lowest, highest)?;
            if shortest.is_none_or(|(_, least)| length < least) {
                shortest = Some((index, length));
            }
        }
        let driver = match shortest {
            Some((index, _)) => lists.swap_remove(index),
            None => List::all(),
        };
        tests.extend(lists.into_iter().map(|list| list.test));
        // Names are found by groups of three characters: candidates only.
        if let Some(name) = &filter.name {
            tests.push(Condition {
                sql: "folded_contains(f.name, ?)".to_owned(),
                values: vec![text::folded(name).into()],
            });
        }
        Ok(Some(Self {
            driver,
            tests,
            lowest,
            highest,
        }))
    }
}

impl List {
    /// All findings.
    fn all() -> Self {
        Self {
            from: "finding f NOT INDEXED",
            id: "f.id",
            select: None,
            each: Vec::new(),
            test: Condition::always(),
        }
    }

    /// The findings with these values in an indexed column.
    fn column(from: &'static str, column: &str, each: Vec<i64>, test: String) -> Self {
        let values = each.iter().map(|&value| value.into()).collect();
        Self {
            from,
            id: "f.id",
            select: Some(Condition {
                sql: format!("f.{column} = ?"),
                values: Vec::new(),
            }),
            each,
            test: Condition { sql: test, values },
        }
    }

    /// The findings that a label is linked to.
    fn linked(from: &'static str, id: &'static str, column: &str, label: i64, test: &str) -> Self {
        Self {
            from,
            id,
            select: Some(Condition {
                sql: format!("{column} = ?"),
                values: Vec::new(),
            }),
            each: vec![label],
            test: Condition {
                sql: test.to_owned(),
                values: vec![label.into()],
            },
        }
    }

    /// Returns the list itself, without the findings it leads to.
    pub(crate) fn alone(&self) -> &'static str {
        self.from.split(" CROSS JOIN").next().unwrap_or(self.from)
    }

    /// Counts the list between two ids, up to a limit.
    fn counted(&self, connection: &Connection, lowest: i64, highest: i64) -> rusqlite::Result<i64> {
        let Some(select) = &self.select else {
            return Ok(COUNTED_MAX);
        };
        let from = self.alone();
        let sql = format!(
            "SELECT count(*) FROM (
                SELECT 1 FROM {from} WHERE {0} >= ? AND {0} < ? AND {1} LIMIT {COUNTED_MAX})",
            self.id, select.sql
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut count = |value: Option<i64>| -> rusqlite::Result<i64> {
            let mut values: Vec<Value> = vec![lowest.into(), highest.into()];
            values.extend(select.values.iter().cloned());
            values.extend(value.map(Value::from));
            statement.query_row(params_from_iter(values), |row| row.get(0))
        };
        if self.each.is_empty() {
            return count(None);
        }
        let mut total = 0;
        for &value in &self.each {
            total += count(Some(value))?;
            if total >= COUNTED_MAX {
                break;
            }
        }
        Ok(total.min(COUNTED_MAX))
    }
}

/// Returns the lists that the filter names; `None` if one of them is empty for
/// certain.
fn lists(connection: &Connection, filter: &Filter) -> rusqlite::Result<Option<Vec<List>>> {
    let mut lists = Vec::new();
    let (lowest, highest) = scores(filter);
    if lowest > highest {
        return Ok(None);
    }
    if let Some(hash) = &filter.hash {
        lists.push(hash_list(hash));
    }
    if let Some(terms) = filter.text.as_deref().and_then(text::Terms::read) {
        lists.push(List {
            from: "words CROSS JOIN finding f ON f.id = words.rowid",
            id: "words.rowid",
            select: Some(Condition {
                sql: "words MATCH ?".to_owned(),
                values: vec![terms.query().into()],
            }),
            each: Vec::new(),
            // To ask the index for one finding takes twenty times as long.
            test: Condition {
                sql: "EXISTS (SELECT 1 FROM wording w WHERE w.id = f.id AND has_terms(w.words, ?))"
                    .to_owned(),
                values: vec![terms.plain().into()],
            },
        });
    }
    let name = filter.name.as_deref().map(text::folded);
    if let Some(query) = name.and_then(|name| text::trigram_query(&name)) {
        lists.push(List {
            from: "names CROSS JOIN finding f ON f.id = names.rowid",
            id: "names.rowid",
            select: Some(Condition {
                sql: "names MATCH ?".to_owned(),
                values: vec![query.into()],
            }),
            each: Vec::new(),
            // The index knows candidates only: the name itself is looked at
            // whichever list is walked.
            test: Condition::always(),
        });
    }
    for (wanted, label) in labels(filter) {
        let Some(id) = label.id(connection, wanted)? else {
            return Ok(None);
        };
        lists.push(label.list(id));
    }
    lists.extend(value_lists(filter));
    Ok(Some(lists))
}

/// The lists of columns with few different values.
fn value_lists(filter: &Filter) -> Vec<List> {
    let mut lists = Vec::new();
    let (lowest, highest) = scores(filter);
    if (lowest, highest) != (0, 100) {
        let each: Vec<i64> = (lowest..=highest).map(i64::from).collect();
        let mut list = List::column(
            "finding f INDEXED BY finding_score",
            "score",
            each,
            String::new(),
        );
        list.test = Condition {
            sql: "f.score BETWEEN ? AND ?".to_owned(),
            values: vec![i64::from(lowest).into(), i64::from(highest).into()],
        };
        lists.push(list);
    }
    if !filter.levels.is_empty() {
        let mut each: Vec<i64> = filter
            .levels
            .iter()
            .copied()
            .map(number::of_level)
            .collect();
        each.sort_unstable();
        each.dedup();
        let test = format!("f.level IN ({})", vec!["?"; each.len()].join(", "));
        lists.push(List::column(
            "finding f INDEXED BY finding_level",
            "level",
            each,
            test,
        ));
    }
    if let Some(review) = filter
        .review
        .map(number::of_review)
        .filter(|&review| review > 0)
    {
        let mut list = List::column(
            "finding f INDEXED BY finding_review",
            "review",
            vec![review],
            "f.review = ?".to_owned(),
        );
        if let Some(select) = &mut list.select {
            // The index holds only those, and SQLite wants to be told so.
            select.sql = "f.review > 0 AND f.review = ?".to_owned();
        }
        lists.push(list);
    }
    lists
}

fn hash_list(hash: &crate::filter::Hash) -> List {
    let from = match hash.column {
        "md5" => "finding f INDEXED BY finding_md5",
        "sha1" => "finding f INDEXED BY finding_sha1",
        _ => "finding f INDEXED BY finding_sha256",
    };
    let condition = Condition {
        sql: format!("f.{0} IS NOT NULL AND f.{0} = ?", hash.column),
        values: vec![hash.bytes.clone().into()],
    };
    List {
        from,
        id: "f.id",
        select: Some(condition.clone()),
        each: Vec::new(),
        test: condition,
    }
}

/// Conditions that no list is for.
fn conditions(filter: &Filter) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let mut add = |sql: &str, value: i64| {
        conditions.push(Condition {
            sql: sql.to_owned(),
            values: vec![value.into()],
        });
    };
    if let Some(time) = filter.since_us {
        add("f.time_us >= ?", time);
    }
    if let Some(time) = filter.until_us {
        add("f.time_us < ?", time);
    }
    if let Some(0) = filter.review.map(number::of_review) {
        add("f.review = ?", 0);
    }
    conditions
}

fn scores(filter: &Filter) -> (u8, u8) {
    (
        filter.score_min.unwrap_or(0).min(100),
        filter.score_max.unwrap_or(100).min(100),
    )
}

/// A name that findings refer to by number.
#[derive(Clone, Copy)]
enum Label {
    Source,
    Run,
    Rule,
    Tag,
}

fn labels(filter: &Filter) -> impl Iterator<Item = (&str, Label)> {
    [
        (&filter.source, Label::Source),
        (&filter.scan_id, Label::Run),
        (&filter.rule, Label::Rule),
        (&filter.tag, Label::Tag),
    ]
    .into_iter()
    .filter_map(|(wanted, label)| Some((wanted.as_deref()?, label)))
}

impl Label {
    /// Looks up the number of a name.
    fn id(self, connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
        let sql = match self {
            Self::Source => "SELECT id FROM source WHERE name = ?1",
            Self::Run => "SELECT id FROM run WHERE scan_id = ?1",
            Self::Rule => "SELECT id FROM rule WHERE name = ?1",
            Self::Tag => "SELECT id FROM tag WHERE name = ?1",
        };
        connection
            .prepare_cached(sql)?
            .query_row([name], |row| row.get(0))
            .optional()
    }

    fn list(self, id: i64) -> List {
        match self {
            Self::Source => List::column(
                "finding f INDEXED BY finding_source",
                "source",
                vec![id],
                "f.source = ?".to_owned(),
            ),
            Self::Run => List::column(
                "finding f INDEXED BY finding_run",
                "run",
                vec![id],
                "f.run = ?".to_owned(),
            ),
            Self::Rule => List::linked(
                "finding_rule r CROSS JOIN finding f ON f.id = r.finding",
                "r.finding",
                "r.rule",
                id,
                "EXISTS (SELECT 1 FROM finding_rule WHERE rule = ? AND finding = f.id)",
            ),
            Self::Tag => List::linked(
                "finding_tag t CROSS JOIN finding f ON f.id = t.finding",
                "t.finding",
                "t.tag",
                id,
                "EXISTS (SELECT 1 FROM finding_tag WHERE tag = ? AND finding = f.id)",
            ),
        }
    }
}
