use super::*;

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("temporary directory"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn open(&self, durability: LogDurability) -> FileSink {
        FileSink::open(
            self.path("findings.log"),
            &self.path("owed/text"),
            durability,
            Rotation::default(),
        )
        .expect("opens")
    }

    /// The files of the log, oldest first.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.path()).expect("listed");
        let names = entries.map(|entry| entry.expect("entry").file_name());
        let names = names.map(|name| name.into_string().expect("text"));
        let mut names: Vec<_> = names.filter(|name| name.starts_with("findings")).collect();
        names.sort();
        names.rotate_left(1);
        names
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("readable")
    }

    /// Has the log written to a device that is always full.
    fn fill(&self, sink: &FileSink) {
        std::fs::rename(self.path("findings.log"), self.path("aside")).expect("renames");
        std::os::unix::fs::symlink("/dev/full", self.path("findings.log")).expect("links");
        sink.reopen().expect("reopens");
    }

    fn make_room(&self) {
        std::fs::remove_file(self.path("findings.log")).expect("removes");
        std::fs::rename(self.path("aside"), self.path("findings.log")).expect("renames");
    }
}

#[test]
fn a_torn_line_is_ended_before_the_next() {
    let bench = Bench::new();
    std::fs::write(bench.path("findings.log"), "whole\ntorn").expect("file");
    let sink = bench.open(LogDurability::Fsync);
    sink.append(b"next\n").expect("writes");
    sink.append(b"last\n").expect("writes");
    assert_eq!(bench.read("findings.log"), "whole\ntorn\nnext\nlast\n");
}

#[test]
fn reopening_writes_to_the_new_file() {
    let bench = Bench::new();
    let sink = bench.open(LogDurability::Fsync);
    sink.append(b"one\n").expect("writes");
    std::fs::rename(bench.path("findings.log"), bench.path("rotated")).expect("renames");
    sink.append(b"two\n").expect("writes");
    sink.reopen().expect("reopens");
    sink.append(b"three\n").expect("writes");
    sink.sync().expect("syncs");
    assert_eq!(bench.read("rotated"), "one\ntwo\n");
    assert_eq!(bench.read("findings.log"), "three\n");
}

#[test]
fn a_log_that_is_large_enough_begins_anew() {
    let bench = Bench::new();
    let sink = FileSink::open(
        bench.path("findings.log"),
        &bench.path("owed/text"),
        LogDurability::Fsync,
        Rotation {
            bytes: Some(10),
            age: None,
            kept: Some(2),
        },
    )
    .expect("opens");
    sink.append(b"short\n").expect("writes");
    sink.rotate();
    assert_eq!(bench.files(), ["findings.log"]);
    for number in 0..4 {
        sink.append(format!("long enough {number}\n").as_bytes())
            .expect("writes");
        sink.rotate();
    }
    sink.append(b"last\n").expect("writes");
    sink.sync().expect("syncs");
    let files = bench.files();
    assert_eq!(files.len(), 3, "{files:?}");
    assert_eq!(bench.read(&files[0]), "long enough 2\n");
    assert_eq!(bench.read(&files[1]), "long enough 3\n");
    assert_eq!(bench.read("findings.log"), "last\n");
}

#[test]
fn a_log_that_owes_lines_is_not_rotated_before_it_has_them() {
    let bench = Bench::new();
    let sink = FileSink::open(
        bench.path("findings.log"),
        &bench.path("owed/text"),
        LogDurability::Fsync,
        Rotation {
            bytes: Some(1),
            ..Rotation::default()
        },
    )
    .expect("opens");
    sink.append(b"before\n").expect("takes");
    bench.fill(&sink);
    sink.append(b"refused\n").expect("takes");
    sink.rotate();
    bench.make_room();
    sink.retry();
    sink.rotate();
    let files = bench.files();
    assert_eq!(files.len(), 2, "{files:?}");
    assert_eq!(bench.read(&files[0]), "before\nrefused\n");
    assert_eq!(bench.read("findings.log"), "");
}

#[test]
fn an_unwritable_path_is_named() {
    let bench = Bench::new();
    let error = FileSink::open(
        "/no/such/dir/x.log",
        &bench.path("owed"),
        LogDurability::Fsync,
        Rotation::default(),
    )
    .err()
    .expect("fails");
    assert!(error.to_string().contains("/no/such/dir/x.log"));
}

#[test]
fn what_a_full_log_refuses_is_in_it_in_order_once_there_is_room() {
    let bench = Bench::new();
    let sink = bench.open(LogDurability::Fsync);
    sink.append(b"before\n").expect("takes");
    bench.fill(&sink);
    for line in ["one\n", "two\n"] {
        sink.append(line.as_bytes()).expect("takes");
        sink.sync().expect("syncs");
    }
    sink.retry();
    assert!(!sink.refuses());
    assert_eq!(bench.read("owed/text"), "one\ntwo\n");
    assert_eq!(bench.read("aside"), "before\n");
    bench.make_room();
    sink.retry();
    sink.append(b"after\n").expect("takes");
    assert_eq!(bench.read("findings.log"), "before\none\ntwo\nafter\n");
    assert!(!bench.path("owed/text").exists());
}

#[test]
fn what_was_refused_before_a_restart_is_in_the_log_after_it() {
    let bench = Bench::new();
    let sink = bench.open(LogDurability::Buffered);
    bench.fill(&sink);
    sink.append(b"one\ntwo\n").expect("takes");
    drop(sink);
    bench.make_room();
    let sink = bench.open(LogDurability::Buffered);
    sink.append(b"three\n").expect("takes");
    assert_eq!(bench.read("findings.log"), "one\ntwo\nthree\n");
}

#[test]
fn lines_of_a_failed_sync_are_kept_a_second_time() {
    let bench = Bench::new();
    let sink = bench.open(LogDurability::Fsync);
    sink.append(b"one\n").expect("takes");
    let mut state = sink.lock();
    let log = Unsynced {
        // A descriptor that no sync is possible on.
        file: Arc::new(File::open("/dev/null").expect("opens")),
        unnamed: false,
    };
    let copies = std::mem::take(&mut state.unsynced);
    drop(state);
    assert_eq!(copies, b"one\n");
    sink.settle(Some(log), copies).expect("kept");
    assert_eq!(bench.read("owed/text"), "one\n");
    sink.retry();
    assert_eq!(bench.read("findings.log"), "one\none\n");
}

#[test]
fn when_both_refuse_nothing_is_called_safe_and_nothing_forgotten() {
    let bench = Bench::new();
    let sink = bench.open(LogDurability::Fsync);
    bench.fill(&sink);
    std::fs::write(bench.path("owed"), "not a directory").expect("file");
    assert!(sink.append(b"refused\n").is_err());
    assert!(sink.refuses());
    let file = Arc::new(File::open("/dev/null").expect("opens"));
    let unsynced = || Unsynced {
        file: Arc::clone(&file),
        unnamed: false,
    };
    assert!(
        sink.settle(Some(unsynced()), b"doubtful\n".to_vec())
            .is_err()
    );
    assert!(sink.sync().is_err(), "still doubtful");
    sink.retry();
    assert!(sink.refuses());

    std::fs::remove_file(bench.path("owed")).expect("removes");
    sink.retry();
    sink.sync().expect("syncs");
    assert!(!sink.refuses());
    bench.make_room();
    sink.retry();
    assert_eq!(bench.read("findings.log"), "doubtful\n");
}

#[test]
fn copies_of_many_lines_do_not_pile_up() {
    let bench = Bench::new();
    let sink = bench.open(LogDurability::Fsync);
    let line = [vec![b'x'; 1 << 20], b"\n".to_vec()].concat();
    for _ in 0..20 {
        sink.append(&line).expect("takes");
        assert!(sink.lock().unsynced.len() <= UNSYNCED_BYTES_MAX + line.len());
    }
}
