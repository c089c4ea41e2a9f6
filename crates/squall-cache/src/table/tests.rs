use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

fn key(number: u32) -> Key {
    let mut key = [0; 24];
    // Spread, as a digest would be.
    key[..8]
        .copy_from_slice(&(u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes());
    key[8..12].copy_from_slice(&number.to_le_bytes());
    key
}

#[test]
fn memory_is_bounded_and_what_is_asked_for_stays() {
    let max = 256 << 10;
    let mut table = Table::new(max);
    for number in 0..100_000 {
        table.insert(&key(number), &[1]);
        assert!(table.bytes() <= max, "{} bytes", table.bytes());
        assert_eq!(
            table.get(&key(7)),
            (number >= 7).then_some(&[1][..]),
            "{number}"
        );
    }
    assert!(table.evictions() > 0);
    // Of clean verdicts there is room for one in 60 bytes.
    assert!(table.len() > max / 60, "{} entries", table.len());
    assert_eq!(table.len() as u64 + table.evictions(), 100_000);
}

#[test]
fn making_room_ends_where_everything_was_asked_for() {
    let mut table = Table::new(64 << 10);
    for number in 0..50_000 {
        table.insert(&key(number), &[0; 40]);
        assert!(table.get(&key(number)).is_some());
    }
    assert!(table.bytes() <= 64 << 10);
}

#[test]
fn a_value_as_large_as_a_segment_is_not_stored() {
    let mut table = Table::new(64 << 10);
    table.insert(&key(1), &[0; 5000]);
    assert!(!table.contains(&key(1)));
    table.insert(&key(1), &[0; 4000]);
    assert!(table.contains(&key(1)));
}

#[test]
fn keys_with_one_hash_are_told_apart() {
    let mut table = Table::new(64 << 10);
    let (a, mut b) = (key(1), key(1));
    b[20] = 1;
    table.insert(&a, b"a");
    assert_eq!(table.get(&b), None);
    table.insert(&b, b"b");
    assert_eq!(table.get(&a), Some(&b"a"[..]));
    assert_eq!(table.get(&b), Some(&b"b"[..]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is stored and evicted, a value that is found is the last one.
    #[test]
    fn it_never_returns_anything_but_the_last_value(
        operations in proptest::collection::vec((0u32..400, 0usize..300, any::<bool>()), 1..3000),
        read_every in 1usize..50,
    ) {
        let mut table = Table::new(48 << 10);
        let mut model = HashMap::new();
        for (at, (number, len, is_read)) in operations.into_iter().enumerate() {
            if is_read {
                let found = table.get(&key(number)).map(<[u8]>::to_vec);
                if let Some(found) = found {
                    prop_assert_eq!(Some(&found), model.get(&number));
                }
            } else {
                let value = vec![at as u8; len];
                table.insert(&key(number), &value);
                model.insert(number, value);
            }
            prop_assert!(table.bytes() <= 48 << 10);
            if at % read_every == 0 {
                let mut place = table.start();
                let mut count = 0;
                while place != table.end() {
                    let (entries, next) = table.copy_from(place);
                    count += entry::each(&entries).count();
                    place = next;
                }
                prop_assert_eq!(count, table.len());
            }
        }
    }
}
