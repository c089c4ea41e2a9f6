//! Keys of the original scanner's files that mean nothing to this service.
//!
//! They are accepted, so that such a file works unchanged, and named in one
//! warning. The list holds the long flags of the original's versions 10 and 11
//! as its public manual has them; those that are settings here are in the
//! table instead.

/// Tells whether a key is the original's. Dashes and underscores are not
/// looked at: its versions differ in little else (`nothordb`, `no-thordb`).
pub(crate) fn has(key: &str) -> bool {
    let key = folded(key);
    keys().any(|known| folded(known) == key)
}

fn folded(key: &str) -> String {
    key.chars()
        .filter(|character| !matches!(character, '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Returns all of the original's keys.
pub(crate) fn keys() -> impl Iterator<Item = &'static str> {
    GROUPS
        .iter()
        .flat_map(|group| group.split_ascii_whitespace())
}

const GROUPS: [&str; 8] = [
    SCAN, RESOURCES, SERVICE, MODULES, FEATURES, OUTPUT, SYSLOG, REMOTE,
];

/// What to scan, and in which mode.
const SCAN: &str = "\
    template config generate-config config-preview path allhds all-hard-drives alldrives \
    max_file_size_intense max_log_lines log-line-limit max_process_size process-size-limit \
    max_runtime timeout nodoublecheck no-scan-lock epoch highlight-timeframe epochscore \
    highlight-timeframe-score insecure ca no-system-ca cross-platform cross-platform-paths \
    require-admin require-elevation follow-symlinks customonly custom-signatures-only \
    init-selector signature-include init-filter signature-exclude quick fast soft intense deep \
    diff delta lookback global-lookback lookback-global all-module-lookback \
    force-aptdir-lookback lookback-aptdirs lookback-modules lookback-module lab virtual-map \
    path-remap target-os fsonly image_file memory-dump-file image-chunk-size \
    memory-dump-chunk-size restore_directory memory-dump-extraction-directory restore_score \
    memory-dump-extraction-score dropzone dropdelete dropzone-purge dropzone-delay \
    exclude-path exclude-registry-key exclude-eventlog exclude-process \
    no-builtin-registry-excludes no-builtin-path-excludes";

/// How much of the machine to use.
const RESOURCES: &str = "\
    cpulimit nocpulimit nosoft norescontrol no-resource-check minmem memory-limit lowprio \
    low-priority verylowprio very-low-priority lowioprio low-io-priority nolowprio \
    no-low-priority nolockthread yara-stack-size yara-timeout yara-max-strings-per-rule \
    bulk-size chunk-size max-log-size log-size-limit";

/// The service mode and the licence.
const SERVICE: &str = "\
    thunderstorm service vfs-dir thor-binary thor-location force-max-file-size \
    enforce-file-size-limit license-path asgard asgard-token management-center \
    management-center-host management-center-token portal-key portal-api-key portal-contracts \
    portal-nonewlic portal-existing-license";

/// Modules, and what they look at.
const MODULES: &str = "\
    module exclude-component disable-module noprocs nofilesystem noreg nousers nologons \
    noautoruns noeventlog norootkits noevents nodnscache noenv nohosts nomutex notasks \
    noservices noprofiles noatjobs nonetworksessions nonetworkshares noshimcache nohotfixes \
    nowmistartup nofirewall nowmi nolsasessions nomft mft mft-analysis nopipes noetwwatcher \
    nointegritycheck notimestomp nocron collector collector-only process process-id dump-procs \
    process-dump max-procdumps process-dump-limit procdump-dir process-dump-directory \
    eventlog-target nodoublepulsar full-registry noregwalk essential-live-registry-only \
    showdeleted log-deleted-files allfiles files-all ads alternate-data-streams \
    collector-output collector-print-config collector-config-preview collector-dry-run \
    collector-preview collector-no-mft collector-config collector-max-filesize \
    collector-file-size-limit wsl";

/// Features, and what they look at.
const FEATURES: &str = "\
    nothordb nosigma sigma dumpscan memory-dumps nologscan noyara nostix noc2 noprochandles \
    noprocconnections noamcache noregistryhive noexedecompress nowebdirscan \
    novulnerabilitycheck noprefetch nogroupsxml nowmipersistence nolnk noknowledgedb nower \
    noevtx noauthorizedkeys noimphash c2-in-memory c2-memory-analysis custom-c2-in-memory \
    custom-c2-memory-analysis noeml noetl noauditlog nomftfile nounescape nommap no-plugins \
    plugin-development-mode sigma-ruleset minimum-sigma-level sigma-threshold processintegrity \
    full-proc-integrity process-integrity-full split-registry-keys dbfile thordb-path resume \
    resume-scan resumeonly vtkey vtmode vtscore vtaccepteula vtwaitforquota vtwaitquota \
    vtverbose";

/// Output.
const OUTPUT: &str = "\
    htmlfile html nolog nohtml nojson appendlog log-append keyval key-value jsonv2 csvfile csv \
    nocsv stats-file stats-csv rebase-dir output-directory suppresspi no-personal-data brd \
    eventlog min max-reasons alert-reason-limit allreasons printshim printamcache \
    overwrite-hostname scanid scanid-prefix noscanid silent cmdjson console-json cmdkeyval \
    console-key-value encrypt pubkey encryption-key nocolor genid log-message-ids truncate \
    registry_depth_print print-registry-depth reduced printlicenses list-licenses showall \
    max-hits match-limit ascii string-context match-context include-info-in-html \
    html-include-info audit-trail background console-background no-tui tui-buffer-size \
    tui-replay-lines log-object describe-object-type hex-matches info score-info \
    action_command action_args action_level nofserrors debug trace printall print-files \
    print-signatures list-signatures print-signatures-json list-signatures-json \
    print-deepscan-criteria list-deepscan-criteria version help fullhelp completions";

/// Syslog, beyond its receivers.
const SYSLOG: &str = "\
    local-syslog rfc5424 syslog-rfc5424 rfc syslog-strict cef_level syslog-cef-level";

/// Scans of other machines, and uploads to them.
const REMOTE: &str = "\
    remote remote-host remote-user remote-password remote-prompt remote-password-prompt \
    remote-debug remote-dir remote-workers remote-connections remote-rate remote-scan-delay \
    bifrostServer bifrostScore bifrost2Server bifrost2Score";
