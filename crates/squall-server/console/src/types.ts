// The bodies of `/api/v1` that the console reads, as the OpenAPI document has them.

/** Who is asking, as the service sees it. */
export interface Session {
  required: boolean;
  name: string | null;
  /** What the provider knows the reader by, if he logged in at one. */
  subject?: string;
  role: "submit" | "read" | "admin" | null;
  /** Whether what only analysts may do is allowed. */
  analyst: boolean;
  address: string;
  /** What is on the button that leads to a provider, if there is one to log in at. */
  provider?: string;
}

export type Level = "Alert" | "Warning" | "Notice";
export type ReviewState = "open" | "reviewed" | "false_positive";

export interface LevelCounts {
  alert: number;
  warning: number;
  notice: number;
}

export interface Overview {
  version: string;
  started_at: string;
  time: string;
  samples: {
    accepted: number;
    scanned: number;
    failed: number;
    queued: number;
    checks_waiting: number;
    denied: number;
    rate_per_second: number;
    oldest_waiting_seconds: number | null;
  };
  workers: number;
  workers_busy: number;
  scan_time: { average_milliseconds: number | null; p95_milliseconds: number | null };
  storage: { queue_bytes: number; spool_bytes: number; free_bytes: number | null; ok: boolean };
  signatures: { version: string; age_seconds: number | null; rules: number; iocs: number; skipped: number } | null;
  findings: { stored: number; waiting: number; behind: boolean } | null;
}

export interface FindingHistory {
  minutes: { time: string; findings: LevelCounts }[];
}

export interface FindingRow {
  event_id: string;
  time: string;
  sample_id: number | null;
  level: Level;
  score: number;
  source: string;
  scan_id: string;
  name: string;
  depth: number;
  type: string;
  size: number;
  md5: string | null;
  sha1: string | null;
  sha256: string | null;
  rules: { name: string; score: number }[];
  reason_count: number;
  tags: string[];
  has_issues: boolean;
  review: ReviewState;
}

export interface FindingPage {
  findings: FindingRow[];
  cursor: string | null;
}

export interface Trusted {
  sha256: string;
  findings: number;
}

export interface EncodedData {
  data: string;
  encoding: "plain" | "hex";
}

export interface Matched {
  data: EncodedData;
  context?: EncodedData;
  offset: number;
  field: string;
}

export interface Reason {
  summary: string;
  signature: {
    score: number;
    reference: string[];
    origin: string;
    kind: string;
    date?: string;
    tags?: string[];
    rule_name?: string;
    description?: string;
    author?: string;
    id?: string;
    false_positives?: string[];
  };
  matched: Matched[];
}

export interface ContentExtracts {
  elements: { offset: number; data: EncodedData }[];
  length: number;
}

export interface FileFacts {
  path: string;
  extension: string;
  magic_header: string;
  hashes?: { md5: string; sha1: string; sha256: string };
  first_bytes?: { hex: string; ascii: string };
  size: number;
  unpack_source?: string[];
  pe_info?: Record<string, unknown>;
  content: ContentExtracts;
}

export interface Finding {
  meta: { time: string; level: Level; scan_id: string; event_id?: string; hostname: string };
  message: string;
  subject: FileFacts;
  score: number;
  reasons: Reason[];
  reason_count: number;
  context: { object: FileFacts; relations: { relation_name: string }[] }[] | null;
  issues?: { affected: string; category: string; description: string }[];
}

export interface Review {
  state: ReviewState;
  note: string;
  who: string;
  time: string;
}

export interface Sighting {
  by: "hash" | "name" | "rule";
  value: string;
  findings: number;
  sources: number;
  more: boolean;
  latest: FindingRow[];
}

export interface FindingDetails {
  summary: FindingRow;
  finding: Finding;
  shares: { rule: string; subscore: number; points: number }[];
  review: Review | null;
  sightings: Sighting[];
  sample_sha256: string | null;
  /** Whether it can be downloaded. */
  sample_kept: boolean;
  /** What the list of trusted hashes says of the content, if it is on it. */
  trusted: string | null;
  /** Whether the set in force has it there; after a roll-back it may not. */
  trusted_in_force?: boolean;
  lookups: { name: string; url: string }[];
  levels: { notice: number; warning: number; alert: number; alert_subscore_above: number };
}

export interface SourceRow {
  source: string;
  first_seen: string;
  last_seen: string;
  samples: number;
  bytes: number;
  agent: string;
  findings: LevelCounts;
}

export interface CollectionRow {
  scan_id: string;
  source: string;
  collector: string;
  began: string;
  ended: string | null;
  state: string;
  /** When its source last sent a sample, with whatever id. */
  last_seen?: string | null;
  samples: number;
  bytes: number;
  findings: LevelCounts;
  stats: { scanned: number; submitted: number; skipped: number; failed: number; elapsed_seconds: number } | null;
}

export interface SignatureSet {
  version: string;
  fingerprint: string;
  engine: string;
  rules: number;
  iocs: number;
  skipped: number;
  loaded_at: string;
  load_time_milliseconds: number;
  from_cache: boolean;
}

export interface Signatures {
  current?: SignatureSet;
  previous?: SignatureSet;
  problems: string[];
  problems_omitted: number;
  /** Those that cost nothing, apart from `problems`; an older service has both there. */
  warnings?: string[];
  warnings_omitted?: number;
  last_change?: { at: string; trigger: string; outcome: string; error?: string; duration_milliseconds: number };
  changes: number;
  failed_changes: number;
  pure_yara: boolean;
  rolled_back: string | null;
}

export interface SignatureSources {
  sources: {
    kind: "built_in" | "packaged" | "custom" | "fetched" | "by_hand" | "own";
    location: string;
    rules: number;
    skipped: number;
    bundle: { sha256: string; size_bytes: number; fetched_at: string } | null;
    checked: { at: string; outcome: "updated" | "unchanged" | "failed"; error: string | null } | null;
  }[];
  update_interval_hours: number | null;
  updating: boolean;
}

export interface RuleCost {
  file: string;
  rule: string | null;
  microseconds: number;
  hits: number | null;
}

export interface RuleCosts {
  running: boolean;
  files_done: number;
  files_total: number;
  samples_available: number;
  error: string | null;
  measured: {
    at: string;
    duration_milliseconds: number;
    samples: number;
    bytes: number;
    base_microseconds: number;
    of_older_set: boolean;
    rules: RuleCost[];
    files: RuleCost[];
  } | null;
}

export interface FailedSamples {
  total: number;
  next?: number;
  samples: {
    id: number;
    reason: string;
    source: string | null;
    file_name: string | null;
    sha256: string | null;
    size_bytes: number;
    received_at: string;
    attempts: number;
    retryable?: boolean;
  }[];
}

export interface Info {
  version_info: { thor: string; build: string; signatures: string };
  arguments: string[];
  threads: number;
}

export interface RuleRow {
  name: string;
  file: string;
  origin: string;
  score: number;
  description: string;
  author: string | null;
  date: string | null;
  tags: string[];
  hits: number | null;
  microseconds: number | null;
}

export interface RulePage {
  total: number;
  rules: RuleRow[];
  next: number | null;
}

export interface RuleSource {
  name: string;
  file: string;
  line: number;
  text: string;
}

export interface OwnFile {
  name: string;
  size_bytes: number;
  modified: string;
  /** SHA-256 of its text: a change says by it which text it is a change of. */
  digest?: string;
  text?: string | null;
}

export interface OwnFileOutcome {
  message: string;
  in_force: boolean;
  problems: { line: number | null; column: number | null; fatal: boolean; reason: string }[];
}

export type CheckState = "ok" | "attention" | "bad";

export interface SelfCheck {
  state: CheckState;
  checks: { name: string; state: CheckState; message: string; details: string[] }[];
}

export interface Configuration {
  settings: { section: string; name: string; values: string[]; origin: string }[];
}
