//! Computes a sample's digests: SHA-256 while its bytes arrive, the others once
//! all are there and only if the content is not known.

use std::io;

use md5::Digest as _;
use squall_queue::Body;
use squall_types::Digests;

use super::known::{KnownDigests, Others};

/// Bytes that are hashed on the thread that moves bytes: a fifth of a
/// millisecond. More would keep other uploads waiting.
const HERE_LEN_MAX: u64 = 64 * 1024;

/// Bytes that both digests take at a time.
const BLOCK_LEN: usize = 64;

/// Completes the digests of `body`, whose SHA-256 is known, and gives it back.
///
/// # Errors
///
/// Fails if the bytes cannot be read again.
pub(crate) async fn complete(
    body: Body,
    sha256: [u8; 32],
    known: &KnownDigests,
) -> io::Result<(Body, Digests)> {
    let (body, others) = match known.get(&sha256) {
        Some(others) => (body, others),
        None => {
            let (body, others) = hash(body).await?;
            known.insert(sha256, others);
            (body, others)
        }
    };
    let Others { md5, sha1 } = others;
    Ok((body, Digests { md5, sha1, sha256 }))
}

async fn hash(body: Body) -> io::Result<(Body, Others)> {
    if body.len() <= HERE_LEN_MAX {
        let others = hash_here(&body)?;
        return Ok((body, others));
    }
    tokio::task::spawn_blocking(move || {
        let others = hash_here(&body)?;
        Ok((body, others))
    })
    .await
    .map_err(io::Error::other)?
}

fn hash_here(body: &Body) -> io::Result<Others> {
    let (mut md5, mut sha1) = (md5::Md5::default(), sha1::Sha1::default());
    body.read_parts(|part| {
        // A step of MD5 waits for the one before, and the processor works on the
        // other digest meanwhile: a quarter faster than one behind the other.
        for block in part.chunks(BLOCK_LEN) {
            md5.update(block);
            sha1.update(block);
        }
    })?;
    Ok(Others {
        md5: md5.finalize().into(),
        sha1: sha1.finalize().into(),
    })
}

#[cfg(test)]
mod tests {
    use squall_queue::{Queue, QueueConfig};

    use super::*;

    /// Makes a body that leaves memory at 1,000 bytes, and completes its digests.
    async fn digests(content: &[u8], known: &KnownDigests) -> Digests {
        let dir = tempfile::tempdir().unwrap();
        let mut config = QueueConfig::new(dir.path());
        config.inline_len_max = 1000;
        config.limits.free_bytes_min = 0;
        let (queue, _) = Queue::open(config).unwrap();
        let mut writer = queue.body();
        for chunk in content.chunks(700) {
            writer.write(chunk).await.unwrap();
        }
        let body = writer.finish().await.unwrap();
        let sha256 = sha2::Sha256::digest(content).into();
        let (body, digests) = complete(body, sha256, known).await.unwrap();
        assert_eq!(body.len(), content.len() as u64);
        digests
    }

    #[tokio::test]
    async fn the_digests_of_abc_are_the_published_ones() {
        let digests = digests(b"abc", &KnownDigests::default()).await;
        assert_eq!(digests.md5[..4], [0x90, 0x01, 0x50, 0x98]);
        assert_eq!(digests.sha1[..4], [0xa9, 0x99, 0x3e, 0x36]);
        assert_eq!(digests.sha256[..4], [0xba, 0x78, 0x16, 0xbf]);
    }

    #[tokio::test]
    async fn every_length_and_the_second_time_give_the_same() {
        let content: Vec<u8> = (0..600_000_u32).map(|n| (n * 7 % 251) as u8).collect();
        let known = KnownDigests::default();
        for len in [0, 1, 999, 1000, 1001, 65_536, 65_537, 600_000] {
            let content = &content[..len];
            for time in 0..2 {
                let digests = digests(content, &known).await;
                assert_eq!(digests.md5, <[u8; 16]>::from(md5::Md5::digest(content)));
                assert_eq!(digests.sha1, <[u8; 20]>::from(sha1::Sha1::digest(content)));
                assert!(known.get(&digests.sha256).is_some(), "{len} {time}");
            }
        }
    }
}
