//! Pages of findings.

use rusqlite::Connection;
use squall_api::v1::FindingPage;

use crate::error::FindingsError;
use crate::filter::{Filter, PAGE_MAX};
use crate::plan::Plan;
use crate::row;
use crate::walk::Walked;

/// A page that is asked for.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The `cursor` of the page before; `None` for the first.
    pub cursor: Option<String>,
    /// Most entries, 1 to 1000.
    pub limit: usize,
}

impl Page {
    /// Returns the id that the page begins below.
    pub(crate) fn before(&self) -> Result<Option<i64>, FindingsError> {
        match self.cursor.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| FindingsError::Cursor),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.limit.clamp(1, PAGE_MAX)
    }
}

/// Returns the ids of a page, newest first, and where the next one begins.
pub(crate) fn ids(
    connection: &Connection,
    filter: &Filter,
    before: Option<i64>,
    count: usize,
) -> Result<(Vec<i64>, Option<i64>), FindingsError> {
    let failed = FindingsError::during("search");
    let Some(plan) = Plan::of(connection, filter).map_err(&failed)? else {
        return Ok((Vec::new(), None));
    };
    // One more than wanted tells whether there is another page.
    let Walked { mut ids, end } = plan.ids(connection, before, count + 1).map_err(&failed)?;
    let more = ids.len() > count;
    ids.truncate(count);
    let next = if more { ids.last().copied() } else { end };
    Ok((ids, next))
}

pub(crate) fn page(
    connection: &Connection,
    filter: &Filter,
    page: &Page,
) -> Result<FindingPage, FindingsError> {
    let (ids, next) = ids(connection, filter, page.before()?, page.count())?;
    Ok(FindingPage {
        findings: row::read_all(connection, &ids).map_err(FindingsError::during("search"))?,
        cursor: next.map(|id| id.to_string()),
    })
}
