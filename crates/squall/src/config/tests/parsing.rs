//! Single values: what is read from which text.

use std::ffi::OsString;
use std::time::Duration;

use super::super::kind::Kind;
use super::super::network::parse_network;
use super::super::syslog::parse_target;
use super::super::value::{Value, parse};

fn read(kind: Kind, text: &str) -> Option<Value> {
    parse(kind, &[OsString::from(text)]).ok()
}

#[test]
fn sizes() {
    let size = |text| match read(Kind::Size { min: 0 }, text) {
        Some(Value::Size(bytes)) => Some(bytes),
        _ => None,
    };
    assert_eq!(size("0"), Some(0));
    assert_eq!(size("12000000"), Some(12_000_000));
    assert_eq!(size("200MB"), Some(200 << 20));
    assert_eq!(size("200MiB"), Some(200 << 20));
    assert_eq!(size(" 200 mb "), Some(200 << 20));
    assert_eq!(size("1G"), Some(1 << 30));
    assert_eq!(size("1k"), Some(1024));
    assert_eq!(size("2TB"), Some(2 << 40));
    assert_eq!(size("5B"), Some(5));
    for wrong in [
        "",
        "MB",
        "-1",
        "1.5G",
        "1X",
        "1bb",
        "1MBB",
        "1iB",
        "+1",
        "16777216T",
        "99999999999999999999",
        "1 2",
    ] {
        assert_eq!(size(wrong), None, "{wrong}");
    }
    assert_eq!(read(Kind::Size { min: 2 }, "1"), None);
}

#[test]
fn times() {
    let kind = Kind::Duration {
        min_ms: 1,
        max_ms: 86_400_000,
    };
    let time = |text| match read(kind, text) {
        Some(Value::Duration(time)) => Some(time),
        _ => None,
    };
    assert_eq!(time("30"), Some(Duration::from_secs(30)));
    assert_eq!(time("30s"), Some(Duration::from_secs(30)));
    assert_eq!(time("5m"), Some(Duration::from_secs(300)));
    assert_eq!(time("5 min"), Some(Duration::from_secs(300)));
    assert_eq!(time("1h"), Some(Duration::from_secs(3600)));
    assert_eq!(time("1d"), Some(Duration::from_secs(86_400)));
    assert_eq!(time("250ms"), Some(Duration::from_millis(250)));
    for wrong in [
        "",
        "s",
        "0",
        "2d",
        "1w",
        "-1s",
        "1.5s",
        "18446744073709551615h",
    ] {
        assert_eq!(time(wrong), None, "{wrong}");
    }
}

#[test]
fn truth() {
    let flag = |text| read(Kind::Flag, text);
    for yes in ["true", "True", "YES", "on", "1"] {
        assert_eq!(flag(yes), Some(Value::Flag(true)), "{yes}");
    }
    for no in ["false", "FALSE", "no", "off", "0"] {
        assert_eq!(flag(no), Some(Value::Flag(false)), "{no}");
    }
    for wrong in ["", "maybe", "2", "truee"] {
        assert_eq!(flag(wrong), None, "{wrong}");
    }
}

#[test]
fn whole_numbers_keep_to_their_range() {
    let kind = Kind::Integer { min: -1, max: 5 };
    assert_eq!(read(kind, "-1"), Some(Value::Integer(-1)));
    assert_eq!(read(kind, " 5 "), Some(Value::Integer(5)));
    for wrong in ["6", "-2", "", "1.0", "x", "99999999999999999999"] {
        assert_eq!(read(kind, wrong), None, "{wrong}");
    }
}

#[test]
fn hosts_have_no_port() {
    let host = |text| match read(Kind::Host, text) {
        Some(Value::Text(host)) => Some(host),
        _ => None,
    };
    assert_eq!(host("0.0.0.0").as_deref(), Some("0.0.0.0"));
    assert_eq!(host("[::1]").as_deref(), Some("::1"));
    assert_eq!(host("::").as_deref(), Some("::"));
    assert_eq!(host("scan-1.example").as_deref(), Some("scan-1.example"));
    for wrong in [
        "",
        "127.0.0.1:8080",
        "localhost:80",
        "1.2.3",
        "256.1.1.1",
        "http://a",
        "a b",
        "a\nb",
        "[]",
    ] {
        assert_eq!(host(wrong), None, "{wrong}");
    }
    assert_eq!(host(&"a".repeat(254)), None);
}

#[test]
fn networks() {
    let network = |text| parse_network(text).map(|network| network.to_string());
    assert_eq!(network("10.0.0.0/8").as_deref(), Some("10.0.0.0/8"));
    assert_eq!(network("10.1.2.3/32").as_deref(), Some("10.1.2.3"));
    assert_eq!(network("10.1.2.3").as_deref(), Some("10.1.2.3"));
    assert_eq!(network("fd00::/8").as_deref(), Some("fd00::/8"));
    assert_eq!(network("0.0.0.0/0").as_deref(), Some("0.0.0.0/0"));
    for wrong in [
        "",
        "10.0.0.0/",
        "10.0.0.0/33",
        "fd00::/129",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "proxy",
        "10.0.0.0/8/8",
        "10.0.0.0/999999",
    ] {
        assert_eq!(network(wrong), None, "{wrong}");
    }
}

#[test]
fn syslog_receivers() {
    let target = |text| parse_target(text).map(|target| target.to_string());
    for (text, full) in [
        ("siem", "siem:514:DEFAULT:UDP"),
        ("siem:1514", "siem:1514:DEFAULT:UDP"),
        ("siem:514:cef", "siem:514:CEF:UDP"),
        ("10.0.0.1:6514:JSON:TCPTLS", "10.0.0.1:6514:JSON:TCPTLS"),
        ("siem:514:SYSLOGKV:TCP", "siem:514:SYSLOGKV:TCP"),
        ("siem:514:SYSLOGJSON:UDP", "siem:514:SYSLOGJSON:UDP"),
        ("[fd00::1]", "[fd00::1]:514:DEFAULT:UDP"),
        ("[fd00::1]:1514:JSON", "[fd00::1]:1514:JSON:UDP"),
    ] {
        assert_eq!(target(text).as_deref(), Some(full), "{text}");
    }
    for wrong in [
        "",
        ":514",
        "siem:",
        "siem:0",
        "siem:70000",
        "siem:514:XML",
        "siem:514:JSON:SCTP",
        "siem:514:JSON:UDP:x",
        "[fd00::1",
        "[fd00::1]514",
        "https://siem/x:JSON",
    ] {
        assert_eq!(target(wrong), None, "{wrong}");
    }
}
