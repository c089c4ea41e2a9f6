//! Sparse files in the forms of pax: what is in the archive are the parts
//! between the holes, and a map tells where they belong. See "Storing Sparse
//! Files" in the manual of GNU tar.

use std::io::{self, Read};

use tar::Entry;

/// What the names of the records begin with.
const KEYS: &[u8] = b"GNU.sparse.";

/// The most parts of one file, and the most digits of one number of the map.
const PARTS_MAX: usize = 100_000;
const DIGITS_MAX: usize = 20;

/// What the map is padded to where it is before the content.
const BLOCK_LEN: usize = 512;

/// A sparse file, as the records before it tell.
#[derive(Debug, Default)]
pub(super) struct Sparse {
    /// Its name; that of the entry is one that older tools can do with.
    pub(super) name: Option<String>,
    len: Option<u64>,
    /// Offset and length, by turns.
    map: Vec<u64>,
    /// Whether the map is before the content.
    is_map_before: bool,
}

impl Sparse {
    /// `None` if it is no sparse file of this kind.
    pub(super) fn of(entry: &mut Entry<'_, &[u8]>) -> Option<Self> {
        let mut sparse = Self::default();
        let mut is_one = false;
        for record in entry.pax_extensions().ok()??.flatten() {
            if let Some(key) = record.key_bytes().strip_prefix(KEYS) {
                is_one = true;
                sparse.set(key, &String::from_utf8_lossy(record.value_bytes()));
            }
        }
        is_one.then_some(sparse)
    }

    fn set(&mut self, key: &[u8], value: &str) {
        match key {
            b"name" => self.name = Some(value.to_owned()),
            b"size" | b"realsize" => self.len = value.parse().ok(),
            b"major" => self.is_map_before = value == "1",
            // A number that is none makes the map too short, which is told.
            b"map" => self.map = numbers(value),
            b"offset" | b"numbytes" => self.map.extend(numbers(value)),
            _ => {}
        }
        self.map.truncate(2 * PARTS_MAX);
    }

    /// The file with its holes.
    pub(super) fn restored<R: Read>(self, content: R) -> Restored<R> {
        Restored {
            content,
            sparse: self,
            is_begun: false,
            next_part: 0,
            position: 0,
            part_end: 0,
            damage: None,
        }
    }
}

fn numbers(text: &str) -> Vec<u64> {
    text.split(',')
        .take(2 * PARTS_MAX)
        .map_while(|number| number.parse().ok())
        .collect()
}

/// Reads a sparse file with its holes.
pub(super) struct Restored<R> {
    content: R,
    sparse: Sparse,
    is_begun: bool,
    /// Where in the map the next part is.
    next_part: usize,
    position: u64,
    /// Where the part ends that is being read.
    part_end: u64,
    /// What is wrong with the map. What is left of the content is read all the
    /// same, then this is told.
    damage: Option<io::Error>,
}

impl<R: Read> Restored<R> {
    /// Reads the map that is before the content: lines of digits, of which the
    /// first counts the parts.
    fn read_map(&mut self) -> io::Result<()> {
        let mut read = 0;
        let count = self.line(&mut read)?;
        let count = usize::try_from(count)
            .ok()
            .filter(|count| *count <= PARTS_MAX)
            .ok_or_else(damaged)?;
        self.sparse.map.clear();
        for _ in 0..2 * count {
            let number = self.line(&mut read)?;
            self.sparse.map.push(number);
        }
        let padding = read.next_multiple_of(BLOCK_LEN) - read;
        self.content.read_exact(&mut [0; BLOCK_LEN][..padding])
    }

    fn line(&mut self, read: &mut usize) -> io::Result<u64> {
        let mut number = 0_u64;
        for _ in 0..=DIGITS_MAX {
            let mut byte = [0];
            self.content.read_exact(&mut byte)?;
            *read += 1;
            match byte[0] {
                b'\n' => return Ok(number),
                digit @ b'0'..=b'9' => {
                    number = number
                        .checked_mul(10)
                        .and_then(|number| number.checked_add(u64::from(digit - b'0')))
                        .ok_or_else(damaged)?;
                }
                _ => break,
            }
        }
        Err(damaged())
    }

    /// Where the next part begins, or the end of the file.
    fn next_begin(&self) -> Option<u64> {
        self.sparse
            .map
            .get(self.next_part)
            .copied()
            .or(self.sparse.len)
    }

    /// Reads what the map does not account for.
    fn rest(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(output)?;
        match self.damage.take() {
            Some(damage) if count == 0 && !output.is_empty() => Err(damage),
            damage => {
                self.damage = damage;
                Ok(count)
            }
        }
    }

    fn begin_part(&mut self) -> io::Result<()> {
        let len = self
            .sparse
            .map
            .get(self.next_part + 1)
            .ok_or_else(damaged)?;
        self.part_end = self.position.checked_add(*len).ok_or_else(damaged)?;
        self.next_part += 2;
        Ok(())
    }
}

impl<R: Read> Read for Restored<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if !self.is_begun {
            self.is_begun = true;
            if self.sparse.is_map_before {
                self.damage = self.read_map().err();
            }
        }
        while self.damage.is_none() {
            if self.position < self.part_end {
                let output = limited(output, self.part_end - self.position);
                let count = self.content.read(output)?;
                if count == 0 && !output.is_empty() {
                    return Err(damaged());
                }
                self.position += count as u64;
                return Ok(count);
            }
            let Some(begin) = self.next_begin() else {
                break;
            };
            if begin > self.position {
                let hole = limited(output, begin - self.position);
                hole.fill(0);
                self.position += hole.len() as u64;
                return Ok(hole.len());
            }
            if self.next_part >= self.sparse.map.len() {
                break;
            }
            self.damage = if begin < self.position {
                Some(damaged())
            } else {
                self.begin_part().err()
            };
        }
        self.rest(output)
    }
}

fn limited(output: &mut [u8], len: u64) -> &mut [u8] {
    let len = usize::try_from(len).map_or(output.len(), |len| len.min(output.len()));
    &mut output[..len]
}

fn damaged() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the map of a sparse file does not match its content",
    )
}
