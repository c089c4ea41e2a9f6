-- Who sent samples. The counts of findings are of those that are kept.
CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    first_seen_us INTEGER NOT NULL,
    last_seen_us INTEGER NOT NULL,
    samples INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    agent TEXT NOT NULL DEFAULT '',
    notices INTEGER NOT NULL DEFAULT 0,
    warnings INTEGER NOT NULL DEFAULT 0,
    alerts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX source_last_seen ON source(last_seen_us);

-- Every `scan_id`: of a run of the service, or, with `began_us`, of a
-- collector's run.
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    scan_id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL DEFAULT '',
    collector TEXT NOT NULL DEFAULT '',
    began_us INTEGER,
    ended_us INTEGER,
    ended_as TEXT,
    scanned INTEGER,
    submitted INTEGER,
    skipped INTEGER,
    failed INTEGER,
    elapsed_s INTEGER,
    samples INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    notices INTEGER NOT NULL DEFAULT 0,
    warnings INTEGER NOT NULL DEFAULT 0,
    alerts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX run_began ON run(began_us) WHERE began_us IS NOT NULL;
CREATE INDEX run_source ON run(source) WHERE began_us IS NOT NULL;

-- `id` is the time of the scan in steps of 64 microseconds, or the next free
-- number behind it. So the table, and every index of it, is in the order of
-- time, and a page of any list begins where the page before ended.
CREATE TABLE finding (
    id INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    time_us INTEGER NOT NULL,
    sample_id INTEGER,
    level INTEGER NOT NULL,
    score INTEGER NOT NULL,
    source INTEGER NOT NULL REFERENCES source(id),
    run INTEGER NOT NULL REFERENCES run(id),
    name TEXT NOT NULL,
    base TEXT NOT NULL,
    depth INTEGER NOT NULL,
    type TEXT NOT NULL,
    size INTEGER NOT NULL,
    md5 BLOB,
    sha1 BLOB,
    sha256 BLOB,
    reasons INTEGER NOT NULL,
    rules TEXT NOT NULL,
    tags TEXT NOT NULL,
    issues INTEGER NOT NULL,
    review INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX finding_source ON finding(source);
CREATE INDEX finding_run ON finding(run);
CREATE INDEX finding_level ON finding(level);
CREATE INDEX finding_score ON finding(score);
CREATE INDEX finding_base ON finding(base);
CREATE INDEX finding_md5 ON finding(md5) WHERE md5 IS NOT NULL;
CREATE INDEX finding_sha1 ON finding(sha1) WHERE sha1 IS NOT NULL;
CREATE INDEX finding_sha256 ON finding(sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX finding_review ON finding(review) WHERE review > 0;

-- The findings as the JSON log has them, one zstd frame each; apart from the
-- table above, so that a search reads no more than it must.
CREATE TABLE document (id INTEGER PRIMARY KEY, line BLOB NOT NULL);

CREATE TABLE rule (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE finding_rule (
    rule INTEGER NOT NULL,
    finding INTEGER NOT NULL,
    PRIMARY KEY (rule, finding)
) WITHOUT ROWID;
CREATE INDEX finding_rule_finding ON finding_rule(finding);

CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE finding_tag (
    tag INTEGER NOT NULL,
    finding INTEGER NOT NULL,
    PRIMARY KEY (tag, finding)
) WITHOUT ROWID;
CREATE INDEX finding_tag_finding ON finding_tag(finding);

-- The same words as in the index below, to look whether a finding has them.
CREATE TABLE wording (id INTEGER PRIMARY KEY, words TEXT NOT NULL);

-- The words are made by `text.rs`: the tokenizer has nothing left to decide.
CREATE VIRTUAL TABLE words USING fts5(
    text, content='', contentless_delete=1, detail=none, tokenize='ascii', prefix='3 4 5'
);
CREATE VIRTUAL TABLE names USING fts5(
    text, content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1'
);

-- Also of findings that are not kept any more, so that a rebuilt store knows.
CREATE TABLE review (
    event_id TEXT PRIMARY KEY,
    state INTEGER NOT NULL,
    note TEXT NOT NULL,
    who TEXT NOT NULL,
    time_us INTEGER NOT NULL
) WITHOUT ROWID;

-- `horizon_us`: the time of the newest finding that was deleted for its age or
-- for want of room. What is caught up with must be newer.
CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

CREATE TRIGGER finding_counted AFTER INSERT ON finding BEGIN
    UPDATE source SET
        first_seen_us = min(first_seen_us, new.time_us),
        last_seen_us = max(last_seen_us, new.time_us),
        notices = notices + (new.level = 1),
        warnings = warnings + (new.level = 2),
        alerts = alerts + (new.level = 3)
    WHERE id = new.source;
    UPDATE run SET
        notices = notices + (new.level = 1),
        warnings = warnings + (new.level = 2),
        alerts = alerts + (new.level = 3)
    WHERE id = new.run;
END;
CREATE TRIGGER finding_discounted AFTER DELETE ON finding BEGIN
    UPDATE source SET
        notices = notices - (old.level = 1),
        warnings = warnings - (old.level = 2),
        alerts = alerts - (old.level = 3)
    WHERE id = old.source;
    UPDATE run SET
        notices = notices - (old.level = 1),
        warnings = warnings - (old.level = 2),
        alerts = alerts - (old.level = 3)
    WHERE id = old.run;
END;
