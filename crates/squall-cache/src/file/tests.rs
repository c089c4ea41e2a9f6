use super::*;

fn open(path: &Path, identity: u8) -> (Store, Found, Vec<Vec<u8>>) {
    let mut loaded = Vec::new();
    let load = |entries: &[u8]| loaded.push(entries.to_vec());
    let (store, found) = Store::open(path, &[identity; 32], load).unwrap();
    (store, found, loaded)
}

#[test]
fn what_was_appended_is_read_again_by_its_identity_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("verdicts");
    let (mut store, found, _) = open(&path, 1);
    assert_eq!(found, Found::Nothing);
    store.append(b"one").unwrap();
    store.append(b"two").unwrap();
    let (mut store, found, loaded) = open(&path, 1);
    assert_eq!(
        (found, loaded),
        (Found::Whole, vec![b"one".to_vec(), b"two".to_vec()])
    );
    store.append(b"three").unwrap();
    assert_eq!(open(&path, 1).2.len(), 3);
    let (_, found, loaded) = open(&path, 2);
    assert_eq!((found, loaded), (Found::Other, vec![]));
    assert_eq!(open(&path, 1).1, Found::Other);
}

#[test]
fn no_change_of_a_byte_and_no_cut_gives_other_entries() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("verdicts");
    let (mut store, ..) = open(&path, 1);
    let blocks: [&[u8]; 3] = [b"first entries", b"second", b"third ones"];
    for entries in blocks {
        store.append(entries).unwrap();
    }
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        for damaged in [whole[..at].to_vec(), {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            changed
        }] {
            std::fs::write(&path, &damaged).unwrap();
            let (mut store, _, loaded) = open(&path, 1);
            assert!(loaded.len() < blocks.len() || damaged == whole, "{at}");
            assert!(loaded.iter().zip(blocks).all(|(a, b)| a == b), "{at}");
            // It can be used again, with what was good.
            store.append(b"more").unwrap();
            let (_, found, again) = open(&path, 1);
            assert_eq!(found, Found::Whole, "{at}");
            assert_eq!(again.len(), loaded.len() + 1, "{at}");
        }
    }
}

#[test]
fn blocks_cannot_change_places() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("verdicts");
    let (mut store, ..) = open(&path, 1);
    store.append(b"aaaa").unwrap();
    store.append(b"bbbb").unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = HEADER_LEN as usize + BLOCK_HEAD_LEN + 4;
    let second = bytes.split_off(middle);
    let first = bytes.split_off(HEADER_LEN as usize);
    std::fs::write(&path, [bytes, second, first].concat()).unwrap();
    let (_, found, loaded) = open(&path, 1);
    assert!(matches!(found, Found::Damaged(_)));
    assert_eq!(loaded, Vec::<Vec<u8>>::new());
}

#[test]
fn a_rewritten_file_takes_the_place_of_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("verdicts");
    let (mut store, ..) = open(&path, 1);
    store.append(b"old").unwrap();
    let mut new = store.rewrite().unwrap();
    new.append(b"new").unwrap();
    store.replace(new).unwrap();
    store.append(b"newer").unwrap();
    assert_eq!(open(&path, 1).2, [b"new".to_vec(), b"newer".to_vec()]);
}
