//! Counts samples by source and by collector run, in memory, until the writer
//! takes the counts: a sample costs no access to the disk.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, params};

use crate::number::of_count;
use crate::record::cut;

/// Sources and runs counted apart between two times that the writer takes
/// them; further ones are counted together.
const KEYS_MAX: usize = 20_000;
/// The name that further sources are counted under.
const OTHERS: &str = "(others)";
/// Characters kept of a collector's name and version.
const AGENT_CHARS_MAX: usize = 256;

/// A sample that was accepted.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'s> {
    /// The source.
    pub source: &'s str,
    /// Its size.
    pub size_bytes: u64,
    /// When it came, in microseconds since 1970.
    pub received_at_us: i64,
    /// The collector run it belongs to.
    pub scan_id: Option<&'s str>,
    /// What it was sent with.
    pub agent: Option<&'s str>,
}

/// Samples of one source or run.
#[derive(Clone, Debug, Default)]
struct Count {
    first_us: i64,
    last_us: i64,
    samples: u64,
    bytes: u64,
    agent: String,
}

/// The counts that the writer has not taken yet.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

#[derive(Debug, Default)]
pub(crate) struct Counts {
    sources: HashMap<String, Count>,
    runs: HashMap<String, Count>,
}

impl Tally {
    /// Counts a sample.
    pub(crate) fn add(&self, sample: &Sample<'_>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        add(&mut counts.sources, sample.source, sample);
        if let Some(scan_id) = sample.scan_id
            && (counts.runs.len() < KEYS_MAX || counts.runs.contains_key(scan_id))
        {
            add(&mut counts.runs, scan_id, sample);
        }
    }

    /// Takes the counts.
    pub(crate) fn take(&self) -> Counts {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives counts back that could not be written.
    pub(crate) fn give_back(&self, returned: Counts) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        merge(&mut counts.sources, returned.sources);
        merge(&mut counts.runs, returned.runs);
    }
}

impl Counts {
    pub(crate) fn is_empty(&self) -> bool {
        self.sources.is_empty() && self.runs.is_empty()
    }

    /// Adds the counts to those on disk. Runs that never began here are not
    /// made: their ids are anything a sender likes.
    pub(crate) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut source = connection.prepare_cached(
            "INSERT INTO source (name, first_seen_us, last_seen_us, samples, bytes, agent)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (name) DO UPDATE SET
                first_seen_us = min(first_seen_us, excluded.first_seen_us),
                last_seen_us = max(last_seen_us, excluded.last_seen_us),
                samples = samples + excluded.samples,
                bytes = bytes + excluded.bytes,
                agent = iif(excluded.agent = '', agent, excluded.agent)",
        )?;
        for (name, count) in &self.sources {
            source.execute(params![
                name,
                count.first_us,
                count.last_us,
                of_count(count.samples),
                of_count(count.bytes),
                count.agent,
            ])?;
        }
        let mut run = connection.prepare_cached(
            "UPDATE run SET samples = samples + ?2, bytes = bytes + ?3
             WHERE scan_id = ?1 AND began_us IS NOT NULL",
        )?;
        for (scan_id, count) in &self.runs {
            run.execute(params![
                scan_id,
                of_count(count.samples),
                of_count(count.bytes)
            ])?;
        }
        Ok(())
    }
}

fn add(counts: &mut HashMap<String, Count>, key: &str, sample: &Sample<'_>) {
    let key = if counts.len() < KEYS_MAX || counts.contains_key(key) {
        key
    } else {
        OTHERS
    };
    let count = counts.entry(key.to_owned()).or_insert_with(|| Count {
        first_us: sample.received_at_us,
        last_us: sample.received_at_us,
        ..Count::default()
    });
    count.first_us = count.first_us.min(sample.received_at_us);
    count.last_us = count.last_us.max(sample.received_at_us);
    count.samples += 1;
    count.bytes = count.bytes.saturating_add(sample.size_bytes);
    if let Some(agent) = sample.agent
        && count.agent != agent
    {
        count.agent = cut(agent, AGENT_CHARS_MAX);
    }
}

fn merge(into: &mut HashMap<String, Count>, from: HashMap<String, Count>) {
    for (key, count) in from {
        let Some(known) = into.get_mut(&key) else {
            if into.len() < KEYS_MAX {
                into.insert(key, count);
            }
            continue;
        };
        known.first_us = known.first_us.min(count.first_us);
        known.last_us = known.last_us.max(count.last_us);
        known.samples += count.samples;
        known.bytes = known.bytes.saturating_add(count.bytes);
        if known.agent.is_empty() {
            known.agent = count.agent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample<'s>(source: &'s str, run: Option<&'s str>) -> Sample<'s> {
        Sample {
            source,
            size_bytes: 10,
            received_at_us: 5,
            scan_id: run,
            agent: Some("curl/8"),
        }
    }

    #[test]
    fn sources_without_end_are_counted_together() {
        let tally = Tally::default();
        for n in 0..KEYS_MAX + 50 {
            let name = n.to_string();
            tally.add(&sample(&name, Some(&name)));
        }
        let counts = tally.take();
        assert_eq!(counts.sources.len(), KEYS_MAX + 1);
        assert_eq!(counts.sources[OTHERS].samples, 50);
        assert_eq!(counts.runs.len(), KEYS_MAX);
    }

    #[test]
    fn what_is_given_back_is_not_lost() {
        let tally = Tally::default();
        tally.add(&sample("a", None));
        let counts = tally.take();
        assert!(tally.take().is_empty());
        tally.add(&sample("a", None));
        tally.give_back(counts);
        let counts = tally.take();
        assert_eq!(counts.sources["a"].samples, 2);
        assert_eq!(counts.sources["a"].bytes, 20);
    }
}
