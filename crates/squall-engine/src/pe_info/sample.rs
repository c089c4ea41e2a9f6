//! Makes small PE files for tests.

/// Code: its bytes run.
pub(crate) const CODE: u32 = 0x6000_0020;

/// Data: its bytes change.
pub(crate) const DATA: u32 = 0xc000_0040;

/// What a packer makes: the bytes change and run.
pub(crate) const CODE_AND_DATA: u32 = 0xe000_0060;

const HEADERS_BYTES: usize = 0x400;
const FILE_ALIGNMENT: usize = 0x200;
const SECTION_ALIGNMENT: u32 = 0x1000;
const PE_OFFSET: usize = 0x100;
const OPTIONAL_HEADER_BYTES: usize = 96 + 16 * 8;

/// A PE file to be made: 32-bit, Intel.
#[derive(Clone, Default)]
pub(crate) struct PeSample {
    sections: Vec<Section>,
    directories: [(u32, u32); 16],
    is_dll: bool,
    entry_section: usize,
    timestamp: u32,
    rich: Vec<u8>,
    overlay: Vec<u8>,
}

#[derive(Clone)]
struct Section {
    name: Vec<u8>,
    characteristics: u32,
    content: Vec<u8>,
    address: u32,
}

impl PeSample {
    /// Begins with no section at all.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A program as a compiler makes it.
    pub(crate) fn ordinary() -> Self {
        Self::new()
            .section(b".text", CODE, &[0x90; 0x300])
            .section(b".data", DATA, &[0; 0x200])
            .imports(&[("KERNEL32.dll", &["ExitProcess"])])
    }

    /// Adds a section.
    pub(crate) fn section(mut self, name: &[u8], characteristics: u32, content: &[u8]) -> Self {
        let address = self.next_address();
        self.sections.push(Section {
            name: name.to_vec(),
            characteristics,
            content: content.to_vec(),
            address,
        });
        self
    }

    /// Adds a section with an import table; a name `#7` imports by number.
    pub(crate) fn imports(mut self, libraries: &[(&str, &[&str])]) -> Self {
        let address = self.next_address();
        let content = import_table(address, libraries);
        let size = 20 * (libraries.len() as u32 + 1);
        self.directories[1] = (address, size);
        self.section(b".idata", DATA, &content)
    }

    /// Adds a section with version information.
    pub(crate) fn version(mut self, strings: &[(&str, &str)]) -> Self {
        let address = self.next_address();
        let content = version_resource(address, strings);
        self.directories[2] = (address, content.len() as u32);
        self.section(b".rsrc", 0x4000_0040, &content)
    }

    /// Adds a Rich header of these decrypted bytes, which begin with `DanS`.
    pub(crate) fn rich(mut self, clear: &[u8], key: u32) -> Self {
        let key = key.to_le_bytes();
        let mut bytes: Vec<u8> = clear
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key)
            .collect();
        bytes.extend_from_slice(b"Rich");
        bytes.extend_from_slice(&key);
        self.rich = bytes;
        self
    }

    /// Makes it a library.
    pub(crate) fn dll(mut self) -> Self {
        self.is_dll = true;
        self
    }

    /// Sets the time of creation.
    pub(crate) fn timestamp(mut self, seconds: u32) -> Self {
        self.timestamp = seconds;
        self
    }

    /// Lets the program start in another section than the first.
    pub(crate) fn entry_section(mut self, index: usize) -> Self {
        self.entry_section = index;
        self
    }

    /// Appends bytes behind the last section.
    pub(crate) fn overlay(mut self, bytes: &[u8]) -> Self {
        self.overlay = bytes.to_vec();
        self
    }

    /// Returns the bytes of the file.
    pub(crate) fn build(&self) -> Vec<u8> {
        let mut file = vec![0; HEADERS_BYTES];
        file[..2].copy_from_slice(b"MZ");
        put(&mut file, 0x3c, &(PE_OFFSET as u32).to_le_bytes());
        put(&mut file, 0x80, &self.rich);
        self.put_headers(&mut file);
        for (index, section) in self.sections.iter().enumerate() {
            let offset = file.len() as u32;
            let raw_size = section.content.len().next_multiple_of(FILE_ALIGNMENT);
            let at = PE_OFFSET + 24 + OPTIONAL_HEADER_BYTES + 40 * index;
            put(&mut file, at, &section.name);
            for (field, value) in [
                (8, section.content.len() as u32),
                (12, section.address),
                (16, raw_size as u32),
                (20, offset),
                (36, section.characteristics),
            ] {
                put(&mut file, at + field, &value.to_le_bytes());
            }
            file.extend_from_slice(&section.content);
            file.resize(offset as usize + raw_size, 0);
        }
        file.extend_from_slice(&self.overlay);
        file
    }

    fn put_headers(&self, file: &mut [u8]) {
        let characteristics: u16 = if self.is_dll { 0x2102 } else { 0x0102 };
        put(file, PE_OFFSET, b"PE\0\0\x4c\x01");
        let count = self.sections.len() as u16;
        put(file, PE_OFFSET + 6, &count.to_le_bytes());
        put(file, PE_OFFSET + 8, &self.timestamp.to_le_bytes());
        let size = OPTIONAL_HEADER_BYTES as u16;
        put(file, PE_OFFSET + 20, &size.to_le_bytes());
        put(file, PE_OFFSET + 22, &characteristics.to_le_bytes());
        let at = PE_OFFSET + 24;
        put(file, at, &0x010b_u16.to_le_bytes());
        let entry = self
            .sections
            .get(self.entry_section)
            .map_or(0, |section| section.address);
        for (field, value) in [
            (16, entry),
            (28, 0x0040_0000),
            (32, SECTION_ALIGNMENT),
            (36, FILE_ALIGNMENT as u32),
            (56, self.next_address()),
            (60, HEADERS_BYTES as u32),
            (92, 16),
        ] {
            put(file, at + field, &value.to_le_bytes());
        }
        put(file, at + 68, &3_u16.to_le_bytes());
        for (index, (address, size)) in self.directories.iter().enumerate() {
            put(file, at + 96 + 8 * index, &address.to_le_bytes());
            put(file, at + 100 + 8 * index, &size.to_le_bytes());
        }
    }

    fn next_address(&self) -> u32 {
        self.sections.last().map_or(SECTION_ALIGNMENT, |last| {
            let end = last.address + last.content.len().max(1) as u32;
            end.next_multiple_of(SECTION_ALIGNMENT)
        })
    }
}

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Descriptors, then for each library its name, its functions' names and the
/// table that points to them.
fn import_table(address: u32, libraries: &[(&str, &[&str])]) -> Vec<u8> {
    let mut bytes = vec![0; 20 * (libraries.len() + 1)];
    for (index, (library, functions)) in libraries.iter().enumerate() {
        let name = address + bytes.len() as u32;
        bytes.extend_from_slice(library.as_bytes());
        bytes.push(0);
        let thunks: Vec<u32> = functions
            .iter()
            .map(|function| match function.strip_prefix('#') {
                Some(number) => 0x8000_0000 | number.parse::<u32>().unwrap(),
                None => {
                    let hint = address + bytes.len() as u32;
                    bytes.extend_from_slice(&[0, 0]);
                    bytes.extend_from_slice(function.as_bytes());
                    bytes.push(0);
                    hint
                }
            })
            .chain([0])
            .collect();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let table = address + bytes.len() as u32;
        for thunk in &thunks {
            bytes.extend_from_slice(&thunk.to_le_bytes());
        }
        for (field, value) in [(0, table), (12, name), (16, table)] {
            put(&mut bytes, 20 * index + field, &value.to_le_bytes());
        }
    }
    bytes
}

/// A resource directory of three levels with one entry each, and behind it
/// the version information.
fn version_resource(address: u32, strings: &[(&str, &str)]) -> Vec<u8> {
    const VERSION: u32 = 16;
    const LEVEL_BYTES: u32 = 16 + 8;
    let mut bytes = Vec::new();
    for (level, id) in [(1, VERSION), (2, 1), (3, 0x409)] {
        let next = level * LEVEL_BYTES;
        let next = if level < 3 { 0x8000_0000 | next } else { next };
        bytes.extend_from_slice(&[0; 14]);
        bytes.extend_from_slice(&1_u16.to_le_bytes());
        bytes.extend_from_slice(&id.to_le_bytes());
        bytes.extend_from_slice(&next.to_le_bytes());
    }
    let info = version_info(strings);
    let start = address + bytes.len() as u32 + 16;
    for value in [start, info.len() as u32, 0, 0] {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes.extend_from_slice(&info);
    bytes
}

fn version_info(strings: &[(&str, &str)]) -> Vec<u8> {
    let mut fixed = vec![0; 52];
    put(&mut fixed, 0, &0xfeef_04bd_u32.to_le_bytes());
    let table: Vec<u8> = strings
        .iter()
        .flat_map(|(key, value)| {
            let text = wide(value);
            block(key, (text.len() / 2) as u16, &text, &[])
        })
        .collect();
    let table = block("040904b0", 0, &[], &table);
    let info = block("StringFileInfo", 0, &[], &table);
    block("VS_VERSION_INFO", 52, &fixed, &info)
}

/// A block of version information: lengths, key, value, children.
fn block(key: &str, value_len: u16, value: &[u8], children: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 6];
    put(&mut bytes, 2, &value_len.to_le_bytes());
    bytes.extend_from_slice(&wide(key));
    for part in [value, children] {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend_from_slice(part);
    }
    let len = bytes.len() as u16;
    put(&mut bytes, 0, &len.to_le_bytes());
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect()
}
