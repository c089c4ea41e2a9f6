use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use squall_types::{FileFacts, Finding, SampleId, Score};

use super::*;

struct Bench {
    dir: tempfile::TempDir,
    config: KeepConfig,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("temporary directory");
        let config = KeepConfig {
            dir: dir.path().join("samples"),
            level: KeepLevel::All,
            score_min: 200,
            bytes_max: None,
            age_max: None,
            free_bytes_min: 0,
            fsync: false,
        };
        Self { dir, config }
    }

    fn open(&self) -> Keeper {
        let keeper = Keeper::open(self.config.clone()).expect("opens");
        keeper.take_stock();
        keeper
    }

    /// The files, as paths in the directory.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for folder in fs::read_dir(&self.config.dir).expect("listed") {
            let folder = folder.expect("entry").path();
            if folder.is_dir() {
                let inside = fs::read_dir(folder).expect("listed");
                files.extend(inside.map(|entry| entry.expect("entry").path()));
            } else {
                files.push(folder);
            }
        }
        files.sort();
        files
    }
}

fn report(id: u64, digest: u8, score: u8) -> Report {
    let mut report = Report {
        id: SampleId::new(id).expect("an id"),
        submission: Default::default(),
        scan: Default::default(),
        outcome: Default::default(),
    };
    report.submission.digests.sha256 = [digest; 32];
    report.submission.file_name = format!("/on/sender/{id}");
    if score > 0 {
        report.outcome.findings.push(Finding {
            level: match score {
                ..60 => Level::Notice,
                60..81 => Level::Warning,
                _ => Level::Alert,
            },
            score: Score::new(score),
            file: FileFacts::default(),
            parent: None,
            matches: Vec::new(),
        });
    }
    report
}

#[test]
fn what_is_kept_depends_on_level_and_score() {
    let mut config = Bench::new().config;
    let scores = [0, 45, 70, 90];
    for (level, score_min, kept) in [
        (KeepLevel::None, 200, [false, false, false, false]),
        (KeepLevel::Malicious, 200, [false, false, true, true]),
        (KeepLevel::All, 200, [true, true, true, true]),
        (KeepLevel::None, 45, [false, true, true, true]),
        (KeepLevel::Malicious, 46, [false, false, true, true]),
        (KeepLevel::None, 0, [true, true, true, true]),
    ] {
        (config.level, config.score_min) = (level, score_min);
        let wanted = scores.map(|score| config.wants(&report(1, 1, score).outcome));
        assert_eq!(wanted, kept, "{level:?} {score_min}");
        assert_eq!(config.keeps_any(), kept[3]);
    }
}

#[test]
fn the_same_bytes_are_stored_once_for_the_owner_only() {
    let bench = Bench::new();
    let keeper = bench.open();
    keeper.keep(&report(1, 0xab, 90), b"evil");
    keeper.keep(&report(2, 0xab, 90), b"evil");
    let name = "ab".repeat(32);
    let folder = bench.config.dir.join("ab");
    let files = bench.files();
    assert_eq!(
        files,
        [folder.join(&name), folder.join(format!("{name}.json"))]
    );
    assert_eq!(fs::read(&files[0]).expect("readable"), b"evil");
    let facts = fs::read_to_string(&files[1]).expect("readable");
    assert!(facts.contains("/on/sender/1") && facts.contains("/on/sender/2"));
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o7777;
    assert_eq!(
        files.iter().map(|path| mode(path)).collect::<Vec<_>>(),
        [0o600; 2]
    );
    assert_eq!((mode(&bench.config.dir), mode(&folder)), (0o700, 0o700));
}

#[test]
fn over_the_budget_the_oldest_go_also_those_of_earlier_runs() {
    let mut bench = Bench::new();
    let content = vec![b'x'; 100_000];
    let keeper = bench.open();
    for digest in 1..=3 {
        keeper.keep(&report(digest.into(), digest, 90), &content);
        std::thread::sleep(Duration::from_millis(5));
    }
    // Seen again, so 2 is the oldest.
    keeper.keep(&report(4, 1, 90), &content);
    drop(keeper);
    bench.config.bytes_max = Some(320_000);
    let foreign = bench.config.dir.join("01/notes");
    fs::write(&foreign, vec![0; 500_000]).expect("writes");
    std::thread::sleep(Duration::from_millis(5));
    let keeper = bench.open();
    keeper.keep(&report(5, 5, 90), &content);
    let left = bench.files();
    let has = |digest: u8| left.contains(&place::sample(&bench.config.dir, &[digest; 32]));
    assert_eq!([1, 2, 3, 5].map(has), [true, false, true, true]);
    assert_eq!(
        left.len(),
        7,
        "three samples, and what is not ours: {left:?}"
    );
    assert!(foreign.exists());
}

#[test]
fn what_was_not_seen_for_too_long_goes() {
    let mut bench = Bench::new();
    bench.config.age_max = Some(Duration::from_secs(3600));
    bench.open().keep(&report(1, 1, 90), b"old");
    let long_ago = SystemTime::now() - Duration::from_secs(4000);
    for path in bench.files() {
        let file = fs::File::options().write(true).open(path).expect("opens");
        file.set_modified(long_ago).expect("dated");
    }
    let keeper = bench.open();
    assert_eq!(bench.files(), Vec::<PathBuf>::new());
    keeper.keep(&report(2, 2, 90), b"new");
    keeper.enforce();
    assert_eq!(bench.files().len(), 2);
}

#[test]
fn without_room_nothing_is_kept_and_nothing_left_behind() {
    let mut bench = Bench::new();
    bench.config.free_bytes_min = u64::MAX / 4;
    bench.open().keep(&report(1, 1, 90), b"evil");
    assert_eq!(bench.files(), Vec::<PathBuf>::new());
    bench.config.free_bytes_min = 0;
    bench.config.bytes_max = Some(3);
    bench.open().keep(&report(1, 1, 90), b"evil");
    assert_eq!(bench.files(), Vec::<PathBuf>::new());
}

#[test]
fn a_full_disk_costs_the_oldest_no_more_than_the_new_one_needs() {
    let mut bench = Bench::new();
    let content = vec![b'x'; 100_000];
    let keeper = bench.open();
    for digest in 1..=4 {
        keeper.keep(&report(digest.into(), digest, 90), &content);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(keeper.stats().samples, 4);
    drop(keeper);
    // As much is free as is to be left free: only what goes makes room.
    let free = files::free_bytes(&bench.config.dir).expect("a disk");
    bench.config.free_bytes_min = free / 2 + (1 << 30);
    let keeper = bench.open();
    keeper.keep(&report(5, 5, 90), &content);
    let stats = keeper.stats();
    // Two small ones for one and what it needs beside.
    assert_eq!((stats.samples, stats.removed, stats.refused), (3, 2, 0));
    let left = bench.files();
    let has = |digest: u8| left.contains(&place::sample(&bench.config.dir, &[digest; 32]));
    assert_eq!([1, 2, 3, 4, 5].map(has), [false, false, true, true, true]);
    // A sighting of what is there needs nearly nothing.
    keeper.keep(&report(6, 5, 90), &content);
    assert_eq!(keeper.stats().refused, 0);
    // Nothing to remove would be enough.
    keeper.keep(&report(7, 7, 90), &vec![b'x'; 2_000_000]);
    let stats = keeper.stats();
    assert_eq!((stats.samples, stats.refused), (3, 1));
    assert!(
        !bench
            .files()
            .contains(&place::sample(&bench.config.dir, &[7; 32]))
    );
}

#[test]
fn what_is_being_written_is_not_what_a_crash_cut_short() {
    let bench = Bench::new();
    let keeper = bench.open();
    let folder = bench.config.dir.join("01");
    fs::create_dir_all(&folder).expect("made");
    let sample = folder.join("01".repeat(32));
    let mine = place::incomplete(&sample, keeper.token);
    let others = place::incomplete(&sample, keeper.token ^ 1);
    for path in [&mine, &others] {
        fs::write(path, b"ev").expect("writes");
        let file = fs::File::options().write(true).open(path).expect("opens");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("dated");
    }
    keeper.take_stock();
    assert!(mine.exists() && !others.exists());
}

#[test]
fn what_a_crash_cut_short_is_removed_and_written_again() {
    let bench = Bench::new();
    let folder = bench.config.dir.join("01");
    fs::create_dir_all(&folder).expect("made");
    let name = "01".repeat(32);
    fs::write(folder.join(format!("{name}.tmp")), b"ev").expect("writes");
    fs::write(folder.join(&name), b"ev").expect("writes");
    fs::write(folder.join("other.tmp"), b"foreign").expect("writes");
    std::thread::sleep(Duration::from_millis(20));
    let keeper = bench.open();
    assert!(!folder.join(format!("{name}.tmp")).exists());
    keeper.keep(&report(1, 1, 90), b"evil");
    assert_eq!(fs::read(folder.join(&name)).expect("readable"), b"evil");
    assert!(folder.join("other.tmp").exists());
}

#[test]
fn a_sample_that_a_crash_left_without_its_facts_goes() {
    let bench = Bench::new();
    bench.open().keep(&report(1, 1, 90), b"whole");
    bench.open().keep(&report(2, 2, 90), b"half");
    fs::remove_file(place::sidecar(&bench.config.dir, &[2; 32])).expect("removed");
    let keeper = bench.open();
    let whole = place::sample(&bench.config.dir, &[1; 32]);
    let facts = place::sidecar(&bench.config.dir, &[1; 32]);
    assert_eq!(bench.files(), [whole, facts]);
    assert_eq!(keeper.stats().samples, 1);
}

#[test]
fn a_link_instead_of_a_folder_is_not_followed() {
    let bench = Bench::new();
    let keeper = bench.open();
    let elsewhere = bench.dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("made");
    std::os::unix::fs::symlink(&elsewhere, bench.config.dir.join("01")).expect("links");
    keeper.keep(&report(1, 1, 90), b"evil");
    assert_eq!(fs::read_dir(&elsewhere).expect("listed").count(), 0);
}

#[test]
fn many_threads_may_keep_the_same_samples() {
    let mut bench = Bench::new();
    bench.config.bytes_max = Some(60_000);
    let keeper = bench.open();
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let keeper = &keeper;
            scope.spawn(move || {
                for round in 0..50_u64 {
                    let digest = (round % 7) as u8;
                    let id = thread * 1000 + round + 1;
                    keeper.keep(&report(id, digest, 90), &vec![digest; 5000]);
                }
            });
        }
    });
    let bytes: u64 = bench
        .files()
        .iter()
        .map(|path| fs::metadata(path).expect("there").len())
        .sum();
    assert!(bytes > 0 && bytes <= 60_000, "{bytes}");
    assert_eq!(keeper.index().bytes(), bytes);
}
