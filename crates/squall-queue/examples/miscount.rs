//! Spoils the counters of a queue for the fault tests: `miscount DIR BY` adds
//! `BY`, which may be negative, to the samples accepted in the queue under
//! `DIR`. The service must not be running.

use std::error::Error;

/// Where the accepted samples are in the record: after its version.
const ACCEPTED: std::ops::Range<usize> = 1..9;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(dir), Some(by)) = (args.next(), args.next()) else {
        return Err("usage: miscount DIR BY".into());
    };
    let by: i64 = by.parse()?;
    let path = std::path::Path::new(&dir).join("db");
    let db = sled::Config::new().path(path).open()?;
    let record = db.get(b"m/counters")?.ok_or("no counters")?.to_vec();
    // The record ends with the checksum of all before it.
    let mut fields = record[..record.len() - 4].to_vec();
    let accepted = u64::from_le_bytes(fields[ACCEPTED].try_into()?);
    let accepted = accepted.checked_add_signed(by).ok_or("below zero")?;
    fields[ACCEPTED].copy_from_slice(&accepted.to_le_bytes());
    fields.extend(crc32fast::hash(&fields).to_le_bytes());
    db.insert(b"m/counters", fields)?;
    db.flush()?;
    Ok(())
}
