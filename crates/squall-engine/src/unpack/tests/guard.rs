//! What is done about an unpacker that panics.

use crate::unpack::trial::open;
use crate::unpack::{Budget, Container, Format, UnpackLimits, guarded, unpack};

#[test]
fn an_unpacker_that_panics_costs_only_the_rest_of_its_container() {
    let opened = open(
        |_, members| {
            guarded(members, |members| {
                members.take("a", &b"first"[..])?;
                panic!("a mistake")
            })
        },
        b"",
    );
    assert_eq!(opened.names(), ["a"]);
    assert_eq!(opened.incomplete.len(), 1);
}

#[test]
#[should_panic(expected = "in the scan")]
fn what_goes_wrong_in_the_scan_is_not_the_unpackers() {
    let limits = UnpackLimits::default();
    let mut budget = Budget::new(&limits, 1);
    let container = Container {
        path: "x",
        content: TNEF,
        is_part: false,
    };
    unpack(Format::Tnef, container, &mut budget, &mut |_, _| {
        panic!("in the scan")
    });
}

/// A stream with one attachment.
const TNEF: &[u8] = b"\x78\x9f\x3e\x22\x01\0\
    \x02\x02\x90\x06\0\x01\0\0\0\0\0\0\
    \x02\x0f\x80\x06\0\x01\0\0\0x\x78\0";
