use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;

use proptest::prelude::*;

use super::*;

const ALL: usize = 1 << 30;

fn open_with(dir: &Path, bytes_max: u64) -> Spool {
    let config = SpoolConfig {
        dir: dir.join("spool"),
        bytes_max,
        durable: true,
    };
    Spool::open(config, Arc::new(OutputHealth::new("test"))).expect("opens")
}

fn open(dir: &Path) -> Spool {
    open_with(dir, 1 << 20)
}

fn push(spool: &Spool, body: &str) {
    let taken = spool.append(1000, None, &[body.as_bytes().to_vec()]);
    taken.expect("takes");
}

/// Everything behind what is known to have arrived.
fn owed(spool: &Spool) -> Vec<String> {
    let mut place = spool.rewind();
    let mut owed = Vec::new();
    loop {
        let records = spool.read(place, ALL).expect("reads");
        let Some(last) = records.last() else {
            return owed;
        };
        place = last.end;
        let text = |record: Record| String::from_utf8(record.body).expect("text");
        owed.extend(records.into_iter().map(text));
    }
}

/// Says of the first `count` that they have arrived.
fn arrive(spool: &Spool, count: usize) {
    let mut place = spool.rewind();
    for _ in 0..count {
        place = spool.read(place, 1).expect("reads")[0].end;
    }
    spool.note_sent(place, None);
    spool.confirm(place);
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("spool")).expect("spool");
    let paths = entries.map(|entry| entry.expect("entry").path());
    let mut segments: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "seg"))
        .collect();
    segments.sort();
    segments
}

#[test]
fn what_has_not_arrived_is_there_after_a_restart_in_order() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let spool = open(dir.path());
    for body in ["a", "b", "c", "d"] {
        push(&spool, body);
    }
    spool.sync().expect("syncs");
    arrive(&spool, 2);
    assert_eq!(owed(&spool), ["c", "d"]);
    drop(spool);
    let spool = open(dir.path());
    push(&spool, "e");
    assert_eq!(owed(&spool), ["c", "d", "e"]);
    arrive(&spool, 3);
    drop(spool);
    let spool = open(dir.path());
    assert_eq!(owed(&spool), [""; 0]);
    assert!(segments(dir.path()).is_empty());
    push(&spool, "f");
    drop(spool);
    assert_eq!(owed(&open(dir.path())), ["f"]);
}

#[test]
fn what_was_sent_but_has_not_arrived_is_sent_again() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let spool = open(dir.path());
    push(&spool, "a");
    push(&spool, "b");
    let lag = spool.health().lag_bytes();
    assert!(lag > 0 && spool.health().age() > std::time::Duration::ZERO);
    let records = spool.read(spool.rewind(), ALL).expect("reads");
    spool.note_sent(records[1].end, None);
    assert_eq!(spool.health().lag_bytes(), 0);
    assert_eq!(spool.health().age(), std::time::Duration::ZERO);
    assert_eq!(owed(&spool), ["a", "b"]);
    assert_eq!(spool.health().lag_bytes(), lag);
    drop(spool);
    let spool = open(dir.path());
    assert_eq!(spool.health().lag_bytes(), lag);
    assert!(spool.health().age() > std::time::Duration::ZERO);
}

#[test]
fn a_torn_end_costs_what_was_not_written_to_its_end_only() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let spool = open(dir.path());
    push(&spool, "whole");
    push(&spool, "torn");
    drop(spool);
    let [path] = segments(dir.path()).try_into().expect("one segment");
    let file = OpenOptions::new().write(true).open(&path).expect("file");
    let bytes = file.metadata().expect("metadata").len();
    file.set_len(bytes - 2).expect("cut");
    let spool = open(dir.path());
    push(&spool, "next");
    assert_eq!(owed(&spool), ["whole", "next"]);
    // As a crash leaves it: the length is on the disk, the bytes are not.
    drop(spool);
    file.set_len(bytes + 5000).expect("longer");
    let spool = open(dir.path());
    assert_eq!(owed(&spool), ["whole", "next"]);
    // A segment of which nothing is left does not stand in the way of a new one.
    drop(spool);
    for path in segments(dir.path()) {
        let file = OpenOptions::new().write(true).open(path).expect("file");
        file.set_len(3).expect("cut");
    }
    let spool = open(dir.path());
    push(&spool, "again");
    assert_eq!(owed(&spool), ["again"]);
}

#[test]
fn a_mark_that_is_damaged_repeats_and_loses_nothing() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let spool = open(dir.path());
    for body in ["a", "b", "c"] {
        push(&spool, body);
    }
    arrive(&spool, 1);
    drop(spool);
    fs::write(dir.path().join("spool/arrived"), [7; 12]).expect("written");
    assert_eq!(owed(&open(dir.path())), ["a", "b", "c"]);
    fs::write(dir.path().join("spool/arrived"), [7; 3]).expect("written");
    assert_eq!(owed(&open(dir.path())), ["a", "b", "c"]);
}

#[test]
fn records_behind_a_mark_that_is_too_far_are_not_taken_for_arrived() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let spool = open(dir.path());
    push(&spool, "a");
    push(&spool, "b");
    arrive(&spool, 2);
    drop(spool);
    // The records did not reach the disk, the mark did.
    for path in segments(dir.path()) {
        fs::remove_file(path).expect("removed");
    }
    let spool = open(dir.path());
    push(&spool, "c");
    drop(spool);
    assert_eq!(owed(&open(dir.path())), ["c"]);
}

#[test]
fn damage_in_the_middle_costs_the_rest_of_its_segment_only() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let spool = open(dir.path());
    let long = "x".repeat(70_000);
    for body in ["a", "b", &long, "c"] {
        push(&spool, body);
    }
    let paths = segments(dir.path());
    assert_eq!(paths.len(), 2, "the third fills the first segment");
    let file = OpenOptions::new()
        .write(true)
        .open(&paths[0])
        .expect("file");
    file.write_all_at(b"!", (record::HEAD_BYTES * 2 + 1) as u64)
        .expect("written");
    assert_eq!(owed(&spool), ["a", "c"]);
    assert_eq!(spool.health().dropped(), 2);
    assert_eq!(spool.health().waiting(), 2);
    // Whoever sends again counts nothing again.
    assert_eq!(owed(&spool), ["a", "c"]);
    assert_eq!(spool.health().dropped(), 2);
    drop(spool);
    let spool = open(dir.path());
    assert_eq!(owed(&spool), ["a", "c"]);
    assert_eq!(spool.health().dropped(), 2);
    arrive(&spool, 2);
    drop(spool);
    let spool = open(dir.path());
    assert_eq!(owed(&spool), [""; 0]);
    assert_eq!(spool.health().dropped(), 0);
}

#[test]
fn damage_in_what_is_being_written_costs_nothing_that_comes_later() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let spool = open(dir.path());
    for body in ["a", "b", "c"] {
        push(&spool, body);
    }
    let [path] = segments(dir.path()).try_into().expect("one segment");
    let file = OpenOptions::new().write(true).open(&path).expect("file");
    file.write_all_at(b"!", (record::HEAD_BYTES * 2 + 1) as u64)
        .expect("written");
    assert_eq!(owed(&spool), ["a"]);
    push(&spool, "d");
    assert_eq!(owed(&spool), ["a", "d"]);
    assert_eq!(spool.health().dropped(), 2);
    arrive(&spool, 2);
    push(&spool, "e");
    drop(spool);
    assert_eq!(owed(&open(dir.path())), ["e"]);
}

#[test]
fn a_full_spool_drops_the_oldest_and_counts_them() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let spool = open(dir.path());
    let body = |number: usize| format!("{number:05}{}", "x".repeat(995));
    let pushed = 3000;
    for number in 0..pushed {
        push(&spool, &body(number));
    }
    let on_disk: u64 = segments(dir.path())
        .iter()
        .map(|path| path.metadata().expect("metadata").len())
        .sum();
    assert!(on_disk <= 1 << 20, "{on_disk} bytes");
    let owed = owed(&spool);
    let dropped = spool.health().dropped() as usize;
    assert_eq!(owed.len() + dropped, pushed);
    assert!(owed.len() > 900, "{} of {pushed} are left", owed.len());
    assert_eq!(owed[0], body(dropped));
    assert_eq!(owed.last(), Some(&body(pushed - 1)));
}

#[test]
fn whoever_reads_what_is_dropped_goes_on_with_the_next() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let spool = open(dir.path());
    push(&spool, "first");
    let place = spool.read(spool.rewind(), 1).expect("reads")[0].end;
    let long = "x".repeat(100_000);
    for _ in 0..20 {
        push(&spool, &long);
    }
    let records = spool.read(place, 1).expect("reads");
    assert_eq!(records[0].body.len(), long.len());
    assert!(spool.health().dropped() > 0);
}

#[test]
fn a_disk_that_refuses_is_known_until_it_is_better() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let spool = open(dir.path());
    // A directory in the place of the next segment.
    let obstacle = Segment::empty(&dir.path().join("spool"), 0).path;
    fs::create_dir(&obstacle).expect("made");
    assert!(spool.append(1000, None, &[b"a".to_vec()]).is_err());
    assert!(spool.refuses());
    spool.retry();
    assert!(spool.refuses());
    fs::remove_dir(&obstacle).expect("removed");
    spool.retry();
    assert!(!spool.refuses());
    push(&spool, "b");
    assert_eq!(owed(&spool), ["b"]);
}

#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    Arrive(usize),
    Sync,
    Reopen,
    /// The process ends within a write.
    Crash(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_usize..40_000).prop_map(Step::Push),
        3 => (0_usize..6).prop_map(Step::Arrive),
        1 => Just(Step::Sync),
        1 => Just(Step::Reopen),
        1 => (1_usize..30).prop_map(Step::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Against a model that is a list: within its bounds the spool neither
    /// loses, repeats nor reorders anything.
    #[test]
    fn it_is_a_queue(steps in prop::collection::vec(step(), 1..40)) {
        let dir = tempfile::tempdir().expect("temporary directory");
        let bytes_max = 8 << 20;
        let mut spool = open_with(dir.path(), bytes_max);
        let mut model: VecDeque<String> = VecDeque::new();
        let mut pushed = 0;
        for step in steps {
            match step {
                Step::Push(len) => {
                    let body = format!("{pushed} {}", "x".repeat(len));
                    push(&spool, &body);
                    model.push_back(body);
                    pushed += 1;
                }
                Step::Arrive(count) => {
                    let count = count.min(model.len());
                    arrive(&spool, count);
                    model.drain(..count);
                }
                Step::Sync => spool.sync().expect("syncs"),
                Step::Reopen => {
                    drop(spool);
                    spool = open_with(dir.path(), bytes_max);
                }
                Step::Crash(written) => {
                    drop(spool);
                    if let Some(path) = segments(dir.path()).pop() {
                        let mut torn = Vec::new();
                        record::write(&mut torn, 1, None, b"never acknowledged");
                        let bytes = path.metadata().expect("metadata").len();
                        let file = OpenOptions::new().write(true).open(path).expect("file");
                        file.write_all_at(&torn[..written], bytes).expect("written");
                    }
                    spool = open_with(dir.path(), bytes_max);
                }
            }
            prop_assert_eq!(spool.health().dropped(), 0);
        }
        let left: Vec<_> = model.into();
        prop_assert_eq!(owed(&spool), left);
    }
}
