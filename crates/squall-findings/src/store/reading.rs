//! What may be asked of the store.

use squall_api::v1::{
    CollectionPage, FindingDetails, FindingPage, MinuteFindings, SourceDetails, SourcePage,
};

use super::Findings;
use crate::error::FindingsError;
use crate::filter::Filter;
use crate::runs::RunFilter;
use crate::search::Page;
use crate::{counts, details, runs, search, sources};

impl Findings {
    /// Returns a page of the findings that meet the filter, newest first.
    ///
    /// # Errors
    ///
    /// Fails if the query takes too long, or the database cannot be read.
    pub fn search(&self, filter: &Filter, page: &Page) -> Result<FindingPage, FindingsError> {
        self.read(|connection| search::page(connection, filter, page))
    }

    /// Returns all that is known of a finding; `None` if there is none.
    ///
    /// # Errors
    ///
    /// Fails if the query takes too long, or the database cannot be read.
    pub fn details(&self, event_id: &str) -> Result<Option<FindingDetails>, FindingsError> {
        self.read(|connection| details::details(connection, event_id))
    }

    /// Counts, for each of these rules, the findings in which it matched, up
    /// to 10,000.
    ///
    /// # Errors
    ///
    /// Fails if the query takes too long, or the database cannot be read.
    pub fn rule_hits(&self, rules: &[String]) -> Result<Vec<u64>, FindingsError> {
        self.read(|connection| counts::rule_hits(connection, rules))
    }

    /// Counts the findings of the last `minutes` minutes before `now_us`
    /// (microseconds since 1970), the oldest minute first.
    ///
    /// # Errors
    ///
    /// Fails if the query takes too long, or the database cannot be read.
    pub fn minutes(&self, now_us: i64, minutes: u32) -> Result<Vec<MinuteFindings>, FindingsError> {
        self.read(|connection| counts::minutes(connection, now_us, minutes))
    }

    /// Returns a page of sources, the one heard of last first. `name` is what
    /// the name must hold, whatever the case of its letters.
    ///
    /// # Errors
    ///
    /// Fails if the query takes too long, or the database cannot be read.
    pub fn sources(&self, name: Option<&str>, page: &Page) -> Result<SourcePage, FindingsError> {
        self.read(|connection| sources::page(connection, name, page))
    }

    /// Returns a source and its newest runs; `None` if it is not known.
    ///
    /// # Errors
    ///
    /// Fails if the query takes too long, or the database cannot be read.
    pub fn source(&self, name: &str) -> Result<Option<SourceDetails>, FindingsError> {
        self.read(|connection| sources::details(connection, name))
    }

    /// Returns a page of collector runs, the newest first.
    ///
    /// # Errors
    ///
    /// Fails if the query takes too long, or the database cannot be read.
    pub fn runs(&self, filter: &RunFilter, page: &Page) -> Result<CollectionPage, FindingsError> {
        self.read(|connection| runs::page(connection, filter, page))
    }
}
