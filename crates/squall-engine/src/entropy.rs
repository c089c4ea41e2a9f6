//! How much information bytes carry: packed and encrypted content stands out.

/// Table lanes: consecutive bytes are often equal, and adding to one counter
/// twice in a row waits for the first addition to reach memory.
const LANES: usize = 4;

/// Pieces a sample is made of.
const SAMPLE_PIECES: usize = 4;

/// Length of one piece of a sample.
const SAMPLE_PIECE_BYTES: usize = 64 * 1024;

/// Returns the Shannon entropy of `content` in bits per byte: 0 for nothing or
/// one value repeated, 8 for bytes that are all equally frequent.
///
/// Code has about 6, text 4 to 5, base64 just under 6, compressed or encrypted
/// data close to 8. The time is proportional to the length.
pub(crate) fn entropy(content: &[u8]) -> f64 {
    let mut counts = Counts::default();
    counts.add(content);
    counts.entropy()
}

/// Returns the entropy of pieces spread evenly over `content`, 256 KiB in all;
/// of all of it when it is no longer than that.
///
/// For parts whose number and length a stranger decides.
pub(crate) fn sampled_entropy(content: &[u8]) -> f64 {
    if content.len() <= SAMPLE_PIECES * SAMPLE_PIECE_BYTES {
        return entropy(content);
    }
    let stride = (content.len() - SAMPLE_PIECE_BYTES) / (SAMPLE_PIECES - 1);
    let mut counts = Counts::default();
    for piece in 0..SAMPLE_PIECES {
        let start = piece * stride;
        counts.add(&content[start..start + SAMPLE_PIECE_BYTES]);
    }
    counts.entropy()
}

/// Returns the entropy of `content` in thousandths of a bit per byte, 0 to
/// 8000.
pub(crate) fn entropy_millibits(content: &[u8]) -> u16 {
    // Within 0..=8000, so that the value fits.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let millibits = (entropy(content) * 1000.0).round() as u16;
    millibits
}

/// How often each byte occurs.
struct Counts {
    lanes: [[u64; 256]; LANES],
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            lanes: [[0; 256]; LANES],
        }
    }
}

impl Counts {
    fn add(&mut self, content: &[u8]) {
        let [first, second, third, fourth] = &mut self.lanes;
        let (words, rest) = content.as_chunks::<LANES>();
        for &[a, b, c, d] in words {
            first[usize::from(a)] += 1;
            second[usize::from(b)] += 1;
            third[usize::from(c)] += 1;
            fourth[usize::from(d)] += 1;
        }
        for &byte in rest {
            first[usize::from(byte)] += 1;
        }
    }

    fn entropy(&self) -> f64 {
        let totals: Vec<f64> = (0..256)
            .map(|byte| self.lanes.iter().map(|lane| lane[byte]).sum::<u64>())
            .filter(|&count| count > 0)
            // Exact up to 2^53 bytes.
            .map(|count| count as f64)
            .collect();
        let length: f64 = totals.iter().sum();
        let bits: f64 = totals
            .iter()
            .map(|count| count / length * (length / count).log2())
            .sum();
        // Nothing at all sums up to -0.0.
        bits.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pseudo-random bytes, the same in every run.
    fn noise(len: usize) -> Vec<u8> {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()[0]
        })
        .take(len)
        .collect()
    }

    fn assert_near(actual: f64, expected: f64) {
        assert!(
            (actual - expected).abs() < 1e-9,
            "entropy is {actual}, expected {expected}"
        );
    }

    #[test]
    fn known_distributions_have_their_entropy() {
        assert_near(entropy(b""), 0.0);
        assert_near(entropy(&[7; 1000]), 0.0);
        assert_near(entropy(b"abababab"), 1.0);
        assert_near(entropy(b"abcd"), 2.0);
        // 3/4 and 1/4.
        assert_near(entropy(b"aaab"), 0.811_278_124_459_132_8);
        let all: Vec<u8> = (0..=255).cycle().take(256 * 7).collect();
        assert_near(entropy(&all), 8.0);
    }

    #[test]
    fn every_position_counts_whatever_the_length() {
        for len in 1..40 {
            let mut content = vec![0; len];
            content[len - 1] = 1;
            let share = 1.0 / len as f64;
            let other = 1.0 - share;
            let expected = if len == 1 {
                0.0
            } else {
                -(share * share.log2() + other * other.log2())
            };
            assert_near(entropy(&content), expected);
        }
    }

    #[test]
    fn a_sample_of_even_content_is_near_the_whole() {
        let content = noise(3 << 20);
        assert!((sampled_entropy(&content) - entropy(&content)).abs() < 0.01);
        let short = noise(1000);
        assert_near(sampled_entropy(&short), entropy(&short));
    }

    #[test]
    fn a_sample_covers_both_ends() {
        let mut content = vec![0; 1 << 20];
        let len = content.len();
        content[..SAMPLE_PIECE_BYTES].fill(1);
        content[len - SAMPLE_PIECE_BYTES..].fill(2);
        // A quarter, a quarter and a half.
        assert_near(sampled_entropy(&content), 1.5);
    }
}
