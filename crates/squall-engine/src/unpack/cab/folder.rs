//! The unpacked content of a folder, which its files share.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress};
use lzxd::{Lzxd, WindowSize};

use crate::unpack::fields::Fields;

/// What a block holds at most when unpacked.
const BLOCK_LEN_MAX: usize = 32 * 1024;

/// How a folder is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Stored,
    MsZip,
    Lzx(WindowSize),
    Unknown(u16),
}

impl Compression {
    pub(super) fn of(code: u16) -> Self {
        match (code & 0xf, code >> 8) {
            (0, _) => Self::Stored,
            (1, _) => Self::MsZip,
            (3, 15) => Self::Lzx(WindowSize::KB32),
            (3, 16) => Self::Lzx(WindowSize::KB64),
            (3, 17) => Self::Lzx(WindowSize::KB128),
            (3, 18) => Self::Lzx(WindowSize::KB256),
            (3, 19) => Self::Lzx(WindowSize::KB512),
            (3, 20) => Self::Lzx(WindowSize::MB1),
            (3, 21) => Self::Lzx(WindowSize::MB2),
            _ => Self::Unknown(code),
        }
    }
}

/// A folder, as the cabinet lists it.
pub(super) struct Folder {
    pub(super) data_at: usize,
    pub(super) block_count: u16,
    pub(super) compression: Compression,
}

/// Reads a folder, block by block.
pub(super) struct FolderReader<'a> {
    blocks: Fields<'a>,
    blocks_left: u16,
    reserve_len: usize,
    decoder: Decoder,
    block: Vec<u8>,
    used: usize,
    position: u64,
    /// Once a block is damaged, so is all behind it.
    is_damaged: bool,
}

impl<'a> FolderReader<'a> {
    pub(super) fn new(content: &'a [u8], folder: &Folder, reserve_len: usize) -> Self {
        Self {
            blocks: Fields::new(content.get(folder.data_at..).unwrap_or_default()),
            blocks_left: folder.block_count,
            reserve_len,
            decoder: Decoder::new(folder.compression),
            block: Vec::new(),
            used: 0,
            position: 0,
            is_damaged: false,
        }
    }

    /// How much was read.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    fn next_block(&mut self) -> io::Result<()> {
        let block = Block::read(&mut self.blocks, self.reserve_len)
            .ok_or_else(|| damaged("a block of the cabinet is cut off"))?;
        if !block.is_intact() {
            return Err(damaged(
                "the checksum of a block in the cabinet does not match",
            ));
        }
        if block.len > BLOCK_LEN_MAX {
            return Err(damaged("a block of the cabinet is too large"));
        }
        if block.len == 0 {
            return Err(damaged("a block of the cabinet goes on in another"));
        }
        self.blocks_left -= 1;
        self.block = self.decoder.decode(block.data, block.len)?;
        self.used = 0;
        Ok(())
    }
}

impl Read for FolderReader<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if self.is_damaged {
            return Err(damaged("a block before it is damaged"));
        }
        while self.used == self.block.len() && self.blocks_left > 0 {
            if let Err(error) = self.next_block() {
                self.is_damaged = true;
                return Err(error);
            }
        }
        let count = (&self.block[self.used..]).read(output)?;
        self.used += count;
        self.position += count as u64;
        Ok(count)
    }
}

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

struct Block<'a> {
    checksum: u32,
    data: &'a [u8],
    /// Length when unpacked.
    len: usize,
    /// The bytes the checksum covers besides the data.
    lengths: [u8; 4],
    reserve: &'a [u8],
}

impl<'a> Block<'a> {
    fn read(fields: &mut Fields<'a>, reserve_len: usize) -> Option<Self> {
        let checksum = fields.u32()?;
        let lengths: [u8; 4] = fields.take(4)?.try_into().ok()?;
        let packed_len = usize::from(u16::from_le_bytes([lengths[0], lengths[1]]));
        let len = usize::from(u16::from_le_bytes([lengths[2], lengths[3]]));
        let reserve = fields.take(reserve_len)?;
        let data = fields.take(packed_len)?;
        Some(Self {
            checksum,
            data,
            len,
            lengths,
            reserve,
        })
    }

    /// Compares the checksum; 0 is none.
    fn is_intact(&self) -> bool {
        let header = folded([&self.lengths, self.reserve].concat().as_slice());
        self.checksum == 0 || self.checksum == folded(self.data) ^ header
    }
}

/// The sum of [MS-CAB]: words combined by exclusive or, and what is left over
/// the other way round.
fn folded(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<4>();
    let sum = words
        .iter()
        .fold(0, |sum, word| sum ^ u32::from_le_bytes(*word));
    rest.iter()
        .fold(0, |last, byte| (last << 8) | u32::from(*byte))
        ^ sum
}

enum Decoder {
    Stored,
    MsZip { before: Vec<u8> },
    Lzx(Box<Lzxd>),
}

impl Decoder {
    fn new(compression: Compression) -> Self {
        match compression {
            Compression::Stored | Compression::Unknown(_) => Self::Stored,
            Compression::MsZip => Self::MsZip { before: Vec::new() },
            Compression::Lzx(window) => Self::Lzx(Box::new(Lzxd::new(window))),
        }
    }

    fn decode(&mut self, data: &[u8], len: usize) -> io::Result<Vec<u8>> {
        let block = match self {
            Self::Stored => data.to_vec(),
            Self::MsZip { before } => {
                let block = inflate(data, len, before)?;
                // A block refers to the 32 KiB before it.
                before.extend(&block);
                let surplus = before.len().saturating_sub(BLOCK_LEN_MAX);
                before.drain(..surplus);
                block
            }
            Self::Lzx(state) => state
                .decompress_next(data, len)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?
                .to_vec(),
        };
        if block.len() != len {
            return Err(damaged(
                "a block of the cabinet has another length than declared",
            ));
        }
        Ok(block)
    }
}

/// Decodes a block of MSZIP: deflate behind two letters.
fn inflate(data: &[u8], len: usize, before: &[u8]) -> io::Result<Vec<u8>> {
    let data = data
        .strip_prefix(b"CK")
        .ok_or_else(|| damaged("a block of the cabinet does not begin as it should"))?;
    let mut state = Decompress::new(false);
    if !before.is_empty() {
        state.set_dictionary(before).map_err(io::Error::other)?;
    }
    let mut block = Vec::with_capacity(len);
    state
        .decompress_vec(data, &mut block, FlushDecompress::Finish)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(block)
}
