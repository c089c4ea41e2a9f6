use super::*;

fn key(number: u16) -> Key {
    let mut key = [0; 24];
    key[..8].copy_from_slice(
        &u64::from(number)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .to_le_bytes(),
    );
    key[22..].copy_from_slice(&number.to_be_bytes());
    key
}

fn cache(dir: &tempfile::TempDir, bytes_max: usize) -> Cache {
    Cache::new(Config {
        bytes_max,
        path: Some(dir.path().join("verdicts")),
    })
}

#[test]
fn what_was_saved_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let first = cache(&dir, 1 << 20);
    assert_eq!(first.save().unwrap(), Saved::default());
    let epoch = first.begin(1, [1; 32]).unwrap();
    for number in 0..1000u16 {
        first.insert(epoch, &key(number), &number.to_le_bytes());
        if number % 100 == 0 {
            first.save().unwrap();
        }
    }
    first.save().unwrap();
    let second = cache(&dir, 1 << 20);
    let epoch = second.begin(1, [1; 32]).unwrap();
    // A newer value is not replaced by that of the file.
    second.insert(epoch, &key(5), b"new");
    assert_eq!(second.save().unwrap().loaded, 999);
    for number in 0..1000u16 {
        let expected = if number == 5 {
            b"new".to_vec()
        } else {
            number.to_le_bytes().to_vec()
        };
        assert_eq!(second.get(epoch, &key(number)), Some(expected));
    }
    assert_eq!(second.stats().entries, 1000);
    // What is read is not written again.
    let third = cache(&dir, 1 << 20);
    third.begin(1, [1; 32]).unwrap();
    let len = || {
        std::fs::metadata(dir.path().join("verdicts"))
            .unwrap()
            .len()
    };
    let before = len();
    assert_eq!(third.save().unwrap().loaded, 1000);
    assert_eq!(len(), before);
}

#[test]
fn another_identity_sees_nothing_of_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let cache = cache(&dir, 1 << 20);
    let old = cache.begin(1, [1; 32]).unwrap();
    cache.insert(old, &key(1), b"old");
    cache.save().unwrap();
    let new = cache.begin(2, [2; 32]).unwrap();
    assert_eq!(cache.get(new, &key(1)), None);
    cache.insert(old, &key(1), b"old");
    assert_eq!(cache.get(new, &key(1)), None);
    assert_eq!(cache.get(old, &key(1)), None);
    assert_eq!(cache.save().unwrap().dropped, Some(Dropped::Other));
    assert_eq!(cache.get(new, &key(1)), None);
    // Who comes late does not bring the old one back.
    assert_eq!(cache.begin(1, [1; 32]), None);
    // The same under a later number goes on.
    cache.insert(new, &key(2), b"new");
    let again = cache.begin(3, [2; 32]).unwrap();
    assert_eq!(cache.get(again, &key(2)), Some(b"new".to_vec()));
}

#[test]
fn a_damaged_file_costs_what_is_behind_the_damage() {
    let dir = tempfile::tempdir().unwrap();
    let first = cache(&dir, 1 << 20);
    let epoch = first.begin(1, [1; 32]).unwrap();
    for number in 0..200 {
        first.insert(epoch, &key(number), b"value");
    }
    first.save().unwrap();
    let path = dir.path().join("verdicts");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let second = cache(&dir, 1 << 20);
    let epoch = second.begin(1, [1; 32]).unwrap();
    let saved = second.save().unwrap();
    assert!(matches!(saved.dropped, Some(Dropped::Damaged(bytes)) if bytes > 0));
    assert!(saved.loaded > 0 && saved.loaded < 200, "{saved:?}");
    for number in 0..200 {
        let found = second.get(epoch, &key(number));
        assert!(found.is_none_or(|value| value == b"value"));
    }
}

#[test]
fn the_file_is_bounded_like_the_memory() {
    let dir = tempfile::tempdir().unwrap();
    let max = 256 << 10;
    let first = cache(&dir, max);
    let epoch = first.begin(1, [1; 32]).unwrap();
    for number in 0..60_000u16 {
        first.insert(epoch, &key(number), b"some value");
        if number % 500 == 0 {
            first.save().unwrap();
            let len = std::fs::metadata(dir.path().join("verdicts"))
                .unwrap()
                .len();
            assert!(len < 4 * max as u64, "{len}");
        }
    }
    let stats = first.stats();
    assert!(stats.bytes <= max as u64);
    assert_eq!(stats.entries + stats.evictions, 60_000);
    first.save().unwrap();
    let second = cache(&dir, max);
    second.begin(1, [1; 32]).unwrap();
    // Segments begin elsewhere, so that it is not all of it.
    assert!(second.save().unwrap().loaded > 0);
    assert!(second.stats().entries > stats.entries / 2);
}
