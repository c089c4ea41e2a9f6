//! What is stored is read back, and what is damaged is an error.

use proptest::prelude::*;
use squall_report::stored::{
    DecodeError, StoredResult, clean_signature_version, decode_result, decode_submission,
    encode_result, encode_submission,
};
use squall_types::SampleId;

use crate::fixture;

#[test]
fn a_submission_is_read_back() {
    let mut submission = fixture::rich_report().submission;
    submission.origin.collector_run = Some("run".to_owned());
    submission.file_name = fixture::HOSTILE_NAME.to_owned();
    let bytes = encode_submission(&submission);
    assert_eq!(bytes[0], 1);
    assert_eq!(decode_submission(&bytes).expect("readable"), submission);
}

#[test]
fn a_report_is_read_back() {
    let report = fixture::rich_report();
    let stored = decode_result(&encode_result(&report)).expect("readable");
    assert_eq!(stored, StoredResult::Report(Box::new(report)));
}

#[test]
fn a_clean_result_is_two_bytes_and_the_version_of_the_signatures() {
    let mut report = fixture::report("clean.txt");
    let bytes = encode_result(&report);
    assert_eq!(bytes, b"\x01C2026/07/01-000000");
    assert_eq!(clean_signature_version(&bytes), Some("2026/07/01-000000"));
    report.scan.signature_version = String::new();
    let earlier = encode_result(&report);
    assert_eq!(earlier, b"\x01C");
    assert_eq!(clean_signature_version(&earlier), None);
    for clean in [bytes, earlier] {
        assert_eq!(
            decode_result(&clean).expect("readable"),
            StoredResult::Clean
        );
    }
}

#[test]
fn one_gap_is_not_clean() {
    let mut report = fixture::report("a.zip");
    report.outcome.incomplete = fixture::rich_report().outcome.incomplete;
    let stored = decode_result(&encode_result(&report)).expect("readable");
    assert!(matches!(stored, StoredResult::Report(_)));
}

#[test]
fn damage_is_an_error_that_says_what() {
    let clean = encode_result(&fixture::report("clean.txt"));
    let report = encode_result(&fixture::rich_report());
    let submission = encode_submission(&fixture::report("x").submission);
    let error = |bytes: &[u8]| decode_result(bytes).expect_err("damaged");
    assert!(matches!(error(b""), DecodeError::Short { len: 0, .. }));
    assert!(matches!(
        error(&clean[..1]),
        DecodeError::Short { len: 1, .. }
    ));
    assert!(matches!(
        error(b"\x02C"),
        DecodeError::Version { found: 2, .. }
    ));
    assert!(matches!(
        error(&submission),
        DecodeError::Kind { found: b'S', .. }
    ));
    let mut flipped = report.clone();
    flipped[1] = clean[1];
    assert!(matches!(error(&flipped), DecodeError::Clean { .. }));
    assert_eq!(
        decode_submission(&report)
            .expect_err("not a submission")
            .to_string(),
        "stored submission has the unknown kind 0x52"
    );
}

#[test]
fn an_impossible_id_or_score_is_not_believed() {
    let report = fixture::rich_report();
    let mut bytes = encode_result(&report);
    let text = String::from_utf8(bytes.split_off(2)).expect("JSON is UTF-8");
    let damaged = |from: &str, to: &str| {
        assert!(text.contains(from));
        let mut bytes = bytes.clone();
        bytes.extend_from_slice(text.replacen(from, to, 1).as_bytes());
        decode_result(&bytes)
    };
    assert!(matches!(
        damaged("\"id\":12", "\"id\":0"),
        Err(DecodeError::SampleId { found: 0 })
    ));
    assert!(matches!(
        damaged("\"id\":12", &format!("\"id\":{}", SampleId::END)),
        Err(DecodeError::SampleId { .. })
    ));
    let Ok(StoredResult::Report(read)) = damaged("\"score\":94", "\"score\":255") else {
        panic!("a score is cut, not refused");
    };
    assert_eq!(read.outcome.findings[0].score.value(), 100);
}

#[test]
fn a_cut_record_is_never_read() {
    let report = encode_result(&fixture::rich_report());
    for len in 0..report.len() {
        assert!(decode_result(&report[..len]).is_err(), "at {len}");
    }
    let submission = encode_submission(&fixture::report("x").submission);
    for len in 0..submission.len() {
        assert!(decode_submission(&submission[..len]).is_err(), "at {len}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, kind in "[RSC]") {
        let _ = decode_result(&bytes);
        let _ = decode_submission(&bytes);
        let framed = [b"\x01", kind.as_bytes(), &bytes].concat();
        if let Ok(StoredResult::Clean) = decode_result(&framed) {
            prop_assert!(framed == b"\x01C" || clean_signature_version(&framed).is_some());
        }
        let _ = decode_submission(&framed);
    }

    #[test]
    fn a_flipped_byte_never_makes_a_report_clean(at: prop::sample::Index, value: u8) {
        let mut bytes = encode_result(&fixture::rich_report());
        let at = at.index(bytes.len());
        bytes[at] = value;
        prop_assert!(!matches!(decode_result(&bytes), Ok(StoredResult::Clean)));
    }
}
