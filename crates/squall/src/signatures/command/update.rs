//! `squall signatures update`: what the service does every so many hours, now
//! and by hand; also without a network.

use std::path::Path;

use anyhow::Context as _;
use clap::ArgMatches;
use serde::Serialize;

use super::{Ended, FROM, JSON, paths, print_json, unread};
use crate::config::Settings;
use crate::config::settings::SignatureSource;
use crate::signatures::cache::Cache;
use crate::signatures::store::Candidate;
use crate::signatures::update::{Fresh, fetch_all, fetch_offline};
use crate::signatures::{self, Read, Selection};
use crate::{acts, banner, config, privileges};

/// The answer in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    updated: &'a [String],
    /// The version now in force, where it changed.
    version: Option<String>,
    errors: Vec<String>,
}

/// What came of it.
struct Updated {
    /// The sources that had something new.
    locations: Vec<String>,
    /// The version now in force, where it changed.
    version: Option<String>,
    /// What went wrong with the others.
    errors: Vec<String>,
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<Ended> {
    // Fails only where one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = config::load(matches, std::env::vars_os())?.settings;
    let from = paths(matches, FROM).pop();
    anyhow::ensure!(
        from.is_some() || !settings.signatures.sources.is_empty(),
        "there is nothing to update from: set `signature-sources`, or name a bundle with --from"
    );
    let who = acts::caller();
    privileges::make_data_dir(&settings)?;
    privileges::become_owner(&settings.data_dir)?;
    let updated = update(&settings, from.as_deref());
    let done = updated
        .as_ref()
        .is_ok_and(|updated| updated.errors.is_empty());
    acts::write_down_command(&settings, &who, &what(from.as_deref()), done);
    let updated = updated?;
    if matches.get_flag(JSON) {
        print_json(&Answer {
            updated: &updated.locations,
            version: updated.version,
            errors: updated.errors.clone(),
        })?;
    } else {
        banner::print(&told(updated.version, &updated.locations));
    }
    Ok(if updated.errors.is_empty() {
        Ended::Clean
    } else {
        Ended::Incomplete
    })
}

/// Returns what the audit log calls it.
fn what(from: Option<&Path>) -> String {
    match from {
        None => "signatures update".to_owned(),
        Some(path) => {
            let location = path.display().to_string();
            format!("signatures update --from {}", config::public(&location))
        }
    }
}

/// Fetches what is new and puts it in force.
fn update(settings: &Settings, from: Option<&Path>) -> anyhow::Result<Updated> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let fresh: Fresh = match from {
        Some(path) => {
            let location = path.display().to_string();
            let source = SignatureSource::parse(&location)
                .with_context(|| format!("`{location}` is no source"))?;
            runtime.block_on(fetch_offline(settings, &source))?
        }
        None => runtime.block_on(fetch_all(settings))?,
    };
    let asked = fresh.asked.iter();
    let mut errors: Vec<_> = asked.filter_map(|one| one.result.clone().err()).collect();
    let selection = Selection::of(settings).with(&fresh.candidates);
    let read = selection.read_what_is_whole();
    // What is damaged and not replaced now: the other sources need not wait for it.
    errors.extend(read.as_ref().map_or_else(|_| Vec::new(), Read::damage));
    for error in &errors {
        banner::error(error);
    }
    let version = if fresh.candidates.is_empty() {
        None
    } else {
        let cache = Cache::open(&settings.signatures.cache_dir);
        let adopted =
            read.and_then(|read| adopt(&read, &selection, cache.as_ref(), &fresh.candidates));
        if adopted.is_err() {
            fresh.candidates.iter().for_each(Candidate::discard);
        }
        Some(adopted?)
    };
    let locations = fresh.candidates.iter();
    let locations = locations.map(|one| config::public(&one.state.location));
    Ok(Updated {
        locations: locations.collect(),
        version,
        errors,
    })
}

/// Returns what there is to say to a person.
fn told(version: Option<String>, updated: &[String]) -> String {
    match version {
        None => "nothing new".to_owned(),
        Some(version) => format!(
            "updated from {}: version {version}. A running service that watches its signatures \
             takes it within seconds; else send it SIGHUP",
            updated.join(", ")
        ),
    }
}

/// Tests the new bundles with everything else that is selected, and puts them
/// in force; returns the version.
fn adopt(
    read: &Read,
    selection: &Selection,
    cache: Option<&Cache>,
    candidates: &[Candidate],
) -> anyhow::Result<String> {
    unread(read);
    let lists = signatures::tally_bundles(&read.files, candidates);
    let made = signatures::make(&read.files, selection.options(), cache)
        .context("the new signatures are not fit, those before stay")?;
    signatures::refuse_mostly_broken(made.set.summary())
        .context("the new signatures are not fit, those before stay")?;
    signatures::refuse_unfit_bundles(&made.set, candidates, &lists)
        .context("the new signatures are not fit, those before stay")?;
    for candidate in candidates {
        candidate
            .adopt()
            .context("cannot put the new signatures in force")?;
    }
    Ok(made.set.summary().version.clone())
}
