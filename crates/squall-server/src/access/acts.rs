//! Acts of callers on their way into the audit log.
//!
//! What administrators do is written down, all of it. What others are refused,
//! and that they log in and out, costs them nothing, and so there are a few
//! lines of each of them a minute, and one that says how many more there were:
//! whoever has a weak token could otherwise fill the log until the acts that
//! count are gone from it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use squall_access::{Act, AuditLog, Outcome, Role};

use crate::service::Service;

/// Lines of one caller within [`WINDOW`].
const LINES_MAX: u64 = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// Most callers whose lines are counted; all others share a count.
const CALLERS_MAX: usize = 1024;
/// What those others are called.
const OTHERS: &str = "other callers";

/// Writes an act of a request down before its answer goes out.
pub(super) async fn write_down(service: &Service, mut act: Act, status: StatusCode) {
    act.status = Some(status.as_u16());
    act.outcome = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Outcome::Refused,
        status if status.is_success() => Outcome::Done,
        _ => Outcome::Failed,
    };
    write_down_as_it_is(service, act).await;
}

/// Writes an act down whose end is known.
pub(super) async fn write_down_as_it_is(service: &Service, act: Act) {
    let access = service.access();
    if let Some(audit) = &access.config.audit {
        note(audit, &access.lines, act).await;
    }
}

/// Writes an act down, unless its caller has too many lines already.
async fn note(audit: &Arc<AuditLog>, lines: &Arc<Lines>, act: Act) {
    if !is_limited(&act) {
        return write(Arc::clone(audit), act).await;
    }
    match lines.admit(&key(&act), Instant::now()) {
        Admission::Written => write(Arc::clone(audit), act).await,
        Admission::LeftOut => {}
        Admission::FirstLeftOut { key, end } => {
            tokio::spawn(sum_up(Arc::clone(audit), Arc::clone(lines), act, key, end));
        }
    }
}

/// Tells whether an act is one that its caller could have as many of as it
/// likes. Where everybody may do everything, what is done is not limited.
fn is_limited(act: &Act) -> bool {
    act.outcome == Outcome::Refused || act.role.is_some_and(|role| role != Role::Admin)
}

/// Returns what is counted together: what somebody is refused, say.
fn key(act: &Act) -> String {
    let id = match (&act.token, &act.certificate, &act.subject) {
        (Some(token), ..) => token.to_string(),
        (_, Some(certificate), _) => certificate.clone(),
        (.., Some(subject)) => subject.clone(),
        // Its address would be as many as it likes.
        _ => act.who.clone(),
    };
    format!("{:?} {id}", act.outcome)
}

/// Says at the end of a window how many acts were left out in it.
async fn sum_up(audit: Arc<AuditLog>, lines: Arc<Lines>, act: Act, key: String, end: Instant) {
    tokio::time::sleep_until(end.into()).await;
    let left_out = lines.close(&key);
    let act = match key.as_str() {
        OTHERS => Act {
            who: OTHERS.to_owned(),
            token: None,
            certificate: None,
            subject: None,
            role: None,
            from: String::new(),
            ..act
        },
        _ => act,
    };
    let what = format!("{left_out} more within a minute, which are left out");
    let status = None;
    write(
        audit,
        Act {
            what,
            status,
            ..act
        },
    )
    .await;
}

async fn write(audit: Arc<AuditLog>, act: Act) {
    let written = tokio::task::spawn_blocking(move || {
        audit.write(&act).inspect_err(|error| {
            let (path, outcome) = (audit.path().display(), act.outcome);
            let Act {
                who, from, what, ..
            } = &act;
            tracing::error!(
                %path,
                %error,
                ?who,
                from,
                ?what,
                ?outcome,
                "an act is not in the audit log: it cannot be written"
            );
        })
    });
    if let Err(error) = written.await {
        tracing::error!(%error, "the audit log panicked");
    }
}

/// How many lines each caller had lately.
#[derive(Debug)]
pub(super) struct Lines {
    window: Duration,
    callers: Mutex<HashMap<String, Window>>,
}

#[derive(Debug)]
struct Window {
    end: Instant,
    acts: u64,
}

/// What becomes of an act.
#[derive(Debug, PartialEq, Eq)]
enum Admission {
    /// It is written down.
    Written,
    /// It is only counted.
    LeftOut,
    /// It is only counted, and whoever asks is to [`close`](Lines::close) what
    /// has this key once it is at its end.
    FirstLeftOut { key: String, end: Instant },
}

impl Default for Lines {
    fn default() -> Self {
        Self::of(WINDOW)
    }
}

impl Lines {
    fn of(window: Duration) -> Self {
        Self {
            window,
            callers: Mutex::default(),
        }
    }

    fn admit(&self, key: &str, now: Instant) -> Admission {
        let mut callers = crate::lock(&self.callers);
        let mut key = key;
        if callers.len() >= CALLERS_MAX && !callers.contains_key(key) {
            // What has more is closed by whoever was told to.
            callers.retain(|_, window| window.end > now || window.acts > LINES_MAX);
            if callers.len() >= CALLERS_MAX {
                key = OTHERS;
            }
        }
        let end = now + self.window;
        let window = callers.entry(key.to_owned());
        let window = window.or_insert(Window { end, acts: 0 });
        if window.end <= now && window.acts <= LINES_MAX {
            *window = Window { end, acts: 0 };
        }
        window.acts += 1;
        match window.acts {
            ..=LINES_MAX => Admission::Written,
            acts if acts == LINES_MAX + 1 => Admission::FirstLeftOut {
                key: key.to_owned(),
                end: window.end,
            },
            _ => Admission::LeftOut,
        }
    }

    /// Ends a window; returns how many acts were left out in it.
    fn close(&self, key: &str) -> u64 {
        let window = crate::lock(&self.callers).remove(key);
        window.map_or(0, |window| window.acts.saturating_sub(LINES_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(who: &str, role: Option<Role>, outcome: Outcome) -> Act {
        Act {
            who: who.to_owned(),
            token: None,
            certificate: None,
            subject: None,
            role,
            from: "10.0.0.1".to_owned(),
            what: "POST /api/v1/signatures/reload".to_owned(),
            outcome,
            status: Some(403),
        }
    }

    #[tokio::test]
    async fn a_weak_caller_has_a_few_lines_and_one_that_sums_up() {
        let dir = tempfile::tempdir().unwrap();
        let audit = Arc::new(AuditLog::new(dir.path().join("audit.log")));
        let lines = Arc::new(Lines::of(Duration::from_secs(3)));
        let (refused, done) = (Outcome::Refused, Outcome::Done);
        for _ in 0..LINES_MAX + 3 {
            note(&audit, &lines, act("siem", Some(Role::Read), refused)).await;
        }
        for _ in 0..=LINES_MAX {
            note(&audit, &lines, act("ana", Some(Role::Admin), done)).await;
            note(&audit, &lines, act("anybody", None, done)).await;
        }
        note(&audit, &lines, act("siem", Some(Role::Read), done)).await;
        note(&audit, &lines, act("other", Some(Role::Read), refused)).await;
        let of = |who: &str| {
            let text = std::fs::read_to_string(audit.path()).unwrap();
            let lines = text.lines().filter(|line| line.contains(who));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let max = usize::try_from(LINES_MAX).unwrap();
        assert_eq!(of("siem").len(), max + 1);
        assert_eq!((of("ana").len(), of("anybody").len()), (max + 1, max + 1));
        assert_eq!(of("other").len(), 1);
        while of("siem").len() < max + 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let last = of("siem").pop().unwrap();
        assert!(last.contains(r#""what":"3 more within a minute"#), "{last}");
        // And then there are as many again.
        note(&audit, &lines, act("siem", Some(Role::Read), refused)).await;
        assert_eq!(of("siem").len(), max + 3);
    }

    #[test]
    fn callers_without_end_share_one_count() {
        let lines = Lines::of(WINDOW);
        let now = Instant::now();
        for number in 0..CALLERS_MAX {
            assert_eq!(lines.admit(&number.to_string(), now), Admission::Written);
        }
        for number in 0..LINES_MAX {
            let key = format!("other {number}");
            assert_eq!(lines.admit(&key, now), Admission::Written);
        }
        let key = OTHERS.to_owned();
        let end = now + WINDOW;
        let first = Admission::FirstLeftOut { key, end };
        assert_eq!(lines.admit("one more", now), first);
        assert_eq!(lines.admit("one more", now), Admission::LeftOut);
        assert_eq!(lines.admit("0", now), Admission::Written);
        assert_eq!(crate::lock(&lines.callers).len(), CALLERS_MAX + 1);
        // Those who are quiet make room.
        assert_eq!(lines.admit("one more", end), Admission::Written);
        assert_eq!(crate::lock(&lines.callers).len(), 2);
        assert_eq!(lines.close(OTHERS), 2);
    }
}
