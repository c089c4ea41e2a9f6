//! Flash files whose content is compressed.

use super::decompress::{Inflate, raw_lzma};
use super::fields::{u32_at, u64_at};
use super::{Members, Trouble};

/// The signature, the version and the length when unpacked, none of which is
/// compressed.
const HEADER_LEN: usize = 8;

/// Passes on the content, if it is compressed.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    const NAME: &str = "content";
    const ZLIB: &[u8] = b"CWS";
    const LZMA: &[u8] = b"ZWS";
    if content.starts_with(ZLIB) {
        let packed = content.get(HEADER_LEN..).unwrap_or_default();
        return members.take(NAME, Inflate::zlib(packed));
    }
    if content.starts_with(LZMA) {
        let reader = lzma(content).ok_or_else(|| Trouble::corrupt("the header is cut off"))?;
        return members.take(NAME, reader?);
    }
    Ok(())
}

/// LZMA behind the length of what is packed and the properties.
fn lzma(content: &[u8]) -> Option<std::io::Result<impl std::io::Read>> {
    const PROPERTIES_AT: usize = 12;
    const DATA_AT: usize = 17;
    let len = u64_at(content, 0)? >> 32;
    let properties = *content.get(PROPERTIES_AT)?;
    let dictionary_bytes = u32_at(content, PROPERTIES_AT + 1)?;
    let packed = content.get(DATA_AT..)?;
    let len = len.saturating_sub(HEADER_LEN as u64);
    Some(raw_lzma(packed, properties, dictionary_bytes, Some(len)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use squall_types::IncompleteReason;

    use super::*;
    use crate::unpack::trial::{open, survives_damage};

    const TEXT: &[u8] = b"a script in a file of Flash, a script in a file of Flash";

    fn header(signature: &[u8]) -> Vec<u8> {
        let len = u32::try_from(TEXT.len() + HEADER_LEN).unwrap();
        [signature, &[15], &len.to_le_bytes()].concat()
    }

    fn zlib() -> Vec<u8> {
        let mut encoder =
            flate2::write::ZlibEncoder::new(header(b"CWS"), flate2::Compression::best());
        encoder.write_all(TEXT).unwrap();
        encoder.finish().unwrap()
    }

    fn lzma() -> Vec<u8> {
        let options = lzma_rust2::LzmaOptions::with_preset(1);
        let mut encoder =
            lzma_rust2::LzmaWriter::new_no_header(Vec::new(), &options, true).unwrap();
        encoder.write_all(TEXT).unwrap();
        let packed = encoder.finish().unwrap();
        let mut file = header(b"ZWS");
        file.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
        file.push(options.get_props());
        file.extend(options.dict_size.to_le_bytes());
        file.extend(packed);
        file
    }

    #[test]
    fn compressed_content_is_a_member() {
        for file in [zlib(), lzma()] {
            let opened = open(unpack, &file);
            assert_eq!(opened.member("content"), TEXT);
            assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
            let cut = open(unpack, &file[..file.len() * 3 / 4]);
            assert_eq!(cut.reasons(), [IncompleteReason::Corrupt]);
            survives_damage(unpack, &file);
        }
        let plain = [header(b"FWS"), TEXT.to_vec()].concat();
        assert!(open(unpack, &plain).members.is_empty());
    }
}
