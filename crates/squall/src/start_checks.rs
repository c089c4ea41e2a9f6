//! What was looked at when the service was started, as the console shows it.

use squall_api::v1::{Check, CheckState};
use squall_findings::{FindingsError, Opened};
use squall_queue::Recovery;

/// Most details of a check.
const DETAILS_MAX: usize = 50;

/// Tells what opening the queue found and did.
pub(crate) fn queue(recovery: &Recovery) -> Check {
    let (state, found) = if recovery.damaged > 0 {
        let found = format!("{} records or samples are not intact", recovery.damaged);
        (CheckState::Bad, found)
    } else if !recovery.put_aside.is_empty()
        || recovery.salvaged > 0
        || recovery.counter_difference != 0
    {
        (CheckState::Attention, "it was repaired".to_owned())
    } else if recovery.is_new {
        (CheckState::Ok, "it is a new one".to_owned())
    } else if recovery.clean {
        (CheckState::Ok, "it was closed in order".to_owned())
    } else {
        let found = "it was not closed in order, and everything is there";
        (CheckState::Ok, found.to_owned())
    };
    Check {
        name: "Queue at the start".to_owned(),
        state,
        message: format!(
            "{found}; {} samples waited, {} results and {} failed samples were there",
            recovery.waiting, recovery.results, recovery.failed
        ),
        details: details(recovery),
    }
}

/// Tells what was not as it should be, a line each.
fn details(recovery: &Recovery) -> Vec<String> {
    let mut details = Vec::new();
    let ids = |ids: &[squall_types::SampleId]| {
        let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
        ids.join(", ")
    };
    if !recovery.crashed.is_empty() {
        details.push(format!(
            "samples that were being scanned when the process ended: {}",
            ids(&recovery.crashed)
        ));
    }
    if !recovery.put_aside.is_empty() {
        details.push(format!(
            "of those, put aside since it was the second time: {}",
            ids(&recovery.put_aside)
        ));
    }
    if recovery.salvaged > 0 {
        details.push(format!(
            "{} samples whose record was lost were rebuilt from the spool",
            recovery.salvaged
        ));
    }
    if recovery.counter_difference != 0 {
        details.push(format!(
            "counters were corrected by {}",
            recovery.counter_difference
        ));
    }
    if recovery.orphans_removed + recovery.incoming_removed > 0 {
        details.push(format!(
            "{} left-over files and {} incomplete uploads were removed",
            recovery.orphans_removed, recovery.incoming_removed
        ));
    }
    let damage = recovery.damage.iter().take(DETAILS_MAX);
    details.extend(damage.map(|damage| match damage.id {
        Some(id) => format!("sample {id}: {}", damage.description),
        None => damage.description.clone(),
    }));
    details
}

/// Tells how the findings store was opened, if there is to be one.
pub(crate) fn findings(opened: Result<&Opened, &FindingsError>) -> Check {
    let (state, message) = match opened {
        Err(error) => {
            let message = format!("it could not be opened, the service runs without: {error}");
            (CheckState::Bad, message)
        }
        Ok(Opened {
            set_aside: Some(aside),
            reviews_restored,
            ..
        }) => {
            let message = format!(
                "it was damaged and is made anew, {reviews_restored} reviews were restored; \
                 the damaged one is `{}`. `squall findings rebuild` brings back what the \
                 JSON log has",
                aside.display()
            );
            (CheckState::Bad, message)
        }
        Ok(opened) => (
            CheckState::Ok,
            format!("{} findings were there", opened.stored),
        ),
    };
    Check {
        name: "Findings store at the start".to_owned(),
        state,
        message,
        details: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use squall_queue::Damage;
    use squall_types::SampleId;

    use super::*;

    #[test]
    fn what_is_not_intact_is_told_with_its_sample() {
        let id = SampleId::new(7);
        let mut recovery = Recovery {
            clean: true,
            waiting: 3,
            ..Recovery::default()
        };
        let check = queue(&recovery);
        assert_eq!(check.state, CheckState::Ok);
        assert!(check.message.contains("3 samples waited"), "{check:?}");
        assert!(check.details.is_empty());
        recovery.salvaged = 1;
        assert_eq!(queue(&recovery).state, CheckState::Attention);
        recovery.damaged = 2000;
        recovery.damage = vec![
            Damage {
                id,
                description: "another checksum".to_owned(),
            };
            1000
        ];
        let check = queue(&recovery);
        assert_eq!(check.state, CheckState::Bad);
        assert!(check.message.contains("2000 records"), "{check:?}");
        assert_eq!(check.details.len(), DETAILS_MAX + 1);
        assert_eq!(check.details[1], "sample 7: another checksum");
    }

    #[test]
    fn a_store_that_cannot_be_opened_is_told() {
        let check = findings(Err(&FindingsError::Closed));
        assert_eq!(check.state, CheckState::Bad);
        assert!(check.message.contains("runs without"), "{check:?}");
        let opened = Opened {
            stored: 5,
            ..Opened::default()
        };
        assert_eq!(findings(Ok(&opened)).message, "5 findings were there");
    }
}
