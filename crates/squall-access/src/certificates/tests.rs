//! Rules with real certificates.

use jiff::ToSpan as _;
use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, KeyPair, SanType,
};

use super::*;

struct Wanted {
    names: Vec<(DnType, DnValue)>,
    alternatives: Vec<SanType>,
}

fn text(text: &str) -> DnValue {
    DnValue::Utf8String(text.to_owned())
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

fn params(wanted: Wanted) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    for (kind, value) in wanted.names {
        name.push(kind, value);
    }
    params.distinguished_name = name;
    params.subject_alt_names = wanted.alternatives;
    params
}

fn der(params: &CertificateParams) -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

fn subject(names: Vec<(DnType, DnValue)>, alternatives: Vec<SanType>) -> Subject {
    let params = params(Wanted {
        names,
        alternatives,
    });
    Subject::parse(&der(&params)).unwrap()
}

fn common(name: &str) -> Subject {
    subject(vec![(DnType::CommonName, text(name))], Vec::new())
}

fn rules(texts: &[&str]) -> CertificateRules {
    let rules = texts.iter().map(|text| text.parse().unwrap());
    CertificateRules::new(rules.collect()).unwrap()
}

/// Returns the role and the name that rules give.
fn known(texts: &[&str], subject: &Subject) -> Result<(Role, String), NoRole> {
    let found = rules(texts).identify(subject, Timestamp::now())?;
    Ok((found.role, found.name.to_string()))
}

#[test]
fn each_kind_of_name_is_compared_with_its_own() {
    let ana = subject(
        vec![
            (
                DnType::CountryName,
                DnValue::PrintableString("DE".try_into().unwrap()),
            ),
            (DnType::OrganizationName, text("Example")),
            (DnType::CommonName, text("ana")),
        ],
        vec![
            dns("Host7.example.org"),
            SanType::Rfc822Name("ana@example.org".try_into().unwrap()),
            SanType::URI("spiffe://example.org/soc/ana".try_into().unwrap()),
        ],
    );
    assert_eq!(ana.distinguished_name().unwrap(), "CN=ana,O=Example,C=DE");
    for (rule, name) in [
        ("cn:ana", "ana"),
        ("cn:a*", "ana"),
        ("dn:CN=ana,O=Example,C=DE", "CN=ana,O=Example,C=DE"),
        ("dn:CN=*,O=Example,C=DE", "CN=ana,O=Example,C=DE"),
        ("dns:HOST7.example.org", "host7.example.org"),
        ("dns:*.example.org", "host7.example.org"),
        ("email:ana@example.org", "ana@example.org"),
        ("email:*@example.org", "ana@example.org"),
        (
            "uri:spiffe://example.org/soc/*",
            "spiffe://example.org/soc/ana",
        ),
    ] {
        let found = known(&[&format!("read={rule}")], &ana);
        assert_eq!(found, Ok((Role::Read, name.to_owned())), "{rule}");
    }
    for rule in [
        "cn:Ana",
        "cn:an",
        "cn:host7.example.org",
        "dns:ana",
        "dns:*.org",
        "dns:*",
        "email:*",
        "uri:spiffe://example.org/*",
        "uri:ana@example.org",
        "dn:CN=ana",
        "dn:C=DE,O=Example,CN=ana",
    ] {
        let found = known(&[&format!("read={rule}")], &ana);
        assert_eq!(found, Err(NoRole::Unknown), "{rule}");
    }
    let described = ana.describe();
    for part in [
        "cn:ana",
        "dn:CN=ana,O=Example,C=DE",
        "dns:host7.example.org",
        "email:",
        "uri:",
    ] {
        assert!(described.contains(part), "{described}");
    }
}

#[test]
fn what_is_ambiguous_is_nobody() {
    let two = subject(
        vec![(DnType::CommonName, text("ana"))],
        vec![dns("a.example.org"), dns("b.example.org")],
    );
    assert_eq!(
        known(&["submit=dns:*.example.org"], &two),
        Err(NoRole::SeveralNames)
    );
    // One of the two is named.
    let named = ["submit=dns:*.example.org", "submit=dns:b.example.org"];
    assert_eq!(
        known(&named, &two),
        Ok((Role::Submit, "b.example.org".to_owned()))
    );
    for two_roles in [
        ["submit=dns:*.example.org", "admin=cn:ana"],
        ["admin=cn:ana", "read=cn:*"],
    ] {
        assert_eq!(known(&two_roles, &two), Err(NoRole::SeveralRoles));
    }
    assert_eq!(
        known(&["admin=cn:ana", "admin=cn:*"], &two),
        Ok((Role::Admin, "ana".to_owned()))
    );
}

#[test]
fn a_name_that_is_not_plain_is_none() {
    for name in ["ana\0", "ana\n", " ana", "", &"x".repeat(201)] {
        let found = known(&["admin=cn:*", "admin=cn:ana"], &common(name));
        assert_eq!(found, Err(NoRole::Unknown), "{name:?}");
    }
    // Nor is one of two.
    let both = vec![
        (DnType::CommonName, text("ana")),
        (DnType::CustomDnType(vec![2, 5, 4, 3]), text("eve")),
    ];
    let both = subject(both, Vec::new());
    assert_eq!(known(&["admin=cn:ana"], &both), Err(NoRole::Unknown));
    // UTF-16, as old authorities write: no text that is compared.
    let wide = DnValue::BmpString("ana".try_into().unwrap());
    let wide = subject(vec![(DnType::CommonName, wide)], Vec::new());
    assert_eq!(known(&["admin=cn:ana"], &wide), Err(NoRole::Unknown));
    assert_eq!(wide.distinguished_name().unwrap(), "CN=#1e060061006e0061");
}

#[test]
fn it_is_good_in_its_time_only() {
    let ana = common("ana");
    let rules = rules(&["read=cn:ana"]);
    let now = Timestamp::now();
    assert!(rules.identify(&ana, now).is_ok());
    // The time of those made here begins in 1975 and ends in 4096.
    let early = Timestamp::from_second(0).unwrap();
    assert_eq!(rules.identify(&ana, early), Err(NoRole::NotNow));
    let mut short = params(Wanted {
        names: vec![(DnType::CommonName, text("ana"))],
        alternatives: Vec::new(),
    });
    short.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let short = Subject::parse(&der(&short)).unwrap();
    assert_eq!(rules.identify(&short, now), Err(NoRole::NotNow));
    let then: Timestamp = "2019-12-31T00:00:00Z".parse().unwrap();
    assert!(rules.identify(&short, then - 1.hour()).is_ok());
}

#[test]
fn the_next_certificate_for_a_name_has_the_same_samples() {
    let rules = rules(&["submit=cn:*", "submit=dns:*.example.org"]);
    let now = Timestamp::now();
    let of = |subject: &Subject| rules.identify(subject, now).unwrap();
    let (first, next) = (of(&common("a")), of(&common("a")));
    assert_eq!(first.owner, next.owner);
    assert_ne!(first.certificate, next.certificate);
    assert_ne!(first.owner, of(&common("b")).owner);
    // Another kind of name is somebody else.
    let host = subject(Vec::new(), vec![dns("a.example.org")]);
    assert_ne!(of(&common("a.example.org")).owner, of(&host).owner);
    assert_eq!(first.owner >> 63, 1);
    assert_eq!(first.token, None);
}

#[test]
fn what_is_no_certificate_says_nothing() {
    let good = der(&CertificateParams::new(vec!["a".to_owned()]).unwrap());
    assert!(Subject::parse(&good).is_ok());
    let mut longer = good.clone();
    longer.push(0);
    let cut = &good[..good.len() - 1];
    for bytes in [&[][..], b"x", &longer, cut] {
        assert_eq!(Subject::parse(bytes), Err(SubjectError::Form));
    }
    let names = (0..300)
        .map(|n| format!("h{n}.example.org"))
        .collect::<Vec<_>>();
    let many = der(&CertificateParams::new(names).unwrap());
    assert_eq!(Subject::parse(&many), Err(SubjectError::TooManyNames));
    // Two lists of names.
    let mut twice = CertificateParams::new(vec!["a".to_owned()]).unwrap();
    let again = [0x30, 0x03, 0x82, 0x01, b'b'];
    twice.custom_extensions = vec![CustomExtension::from_oid_content(
        &[2, 5, 29, 17],
        again.to_vec(),
    )];
    assert_eq!(Subject::parse(&der(&twice)), Err(SubjectError::Form));
}

#[test]
fn rules_are_read_shown_and_checked() {
    for text in [
        "admin=cn:ana",
        "submit=dns:*.collectors.example.org",
        r"read=dn:CN=*,O=Example\, Inc.",
        "read=uri:spiffe://example.org/a",
    ] {
        assert_eq!(text.parse::<CertificateRule>().unwrap().to_string(), text);
    }
    for text in [
        "",
        "admin",
        "cn:ana",
        "root=cn:ana",
        "admin=ana",
        "admin=cn:",
        "admin=ip:10.0.0.1",
        "admin=cn:*a*",
        "admin=dn:ana",
        "admin=dn:CN=*,O=",
        "admin=cn:a\nb",
        &format!("admin=cn:{}", "x".repeat(1001)),
    ] {
        assert!(text.parse::<CertificateRule>().is_err(), "{text:?}");
    }
    let two = ["admin=dns:A.example", "read=dns:a.example"];
    let two = two.map(|text| text.parse().unwrap()).to_vec();
    assert!(matches!(
        CertificateRules::new(two),
        Err(RulesError::TwoRoles(..))
    ));
    let many = vec!["read=cn:a".parse().unwrap(); RULES_MAX + 1];
    assert!(matches!(
        CertificateRules::new(many),
        Err(RulesError::TooMany(_))
    ));
}
