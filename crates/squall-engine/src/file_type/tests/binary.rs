//! Binary formats, each by the smallest sample that shows its traits.

use super::check;
use crate::file_type::{Kind, catalogue, detect, names};

/// Bytes with `parts` at their offsets and zeros between.
fn sparse(len: usize, parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut content = vec![0; len];
    for (offset, part) in parts {
        content[*offset..*offset + part.len()].copy_from_slice(part);
    }
    content
}

#[test]
fn executables() {
    let pe = sparse(
        512,
        &[(0, b"MZ\x90"), (60, b"\x80"), (128, b"PE\0\0\x64\x86")],
    );
    let object = sparse(128, &[(0, b"\x64\x86\x01"), (20, b".text")]);
    let boot = sparse(512, &[(0, b"\xeb\x3c\x90MSDOS5.0"), (510, b"\x55\xaa")]);
    check(&[
        (&pe, "EXE"),
        (b"MZ", "EXE"),
        (b"MZ\x90\0\x03\0", "EXE"),
        (b"\x7fELF\x02\x01\x01", "ELF"),
        (b"\x7fELF", "ELF"),
        (b"\xcf\xfa\xed\xfe\x07\0\0\x01", "MACH-O"),
        (b"\xfe\xed\xfa\xce\0\0\0\x12", "MACH-O"),
        (b"\xca\xfe\xba\xbe\0\0\0\x02\x01\0\0\x07", "MACH-O"),
        (b"\xca\xfe\xba\xbe\0\0\0\x34\0\x1d\x0a", "JAVA CLASS"),
        (b"\xca\xfe\xba\xbe\0\x03\0\x2d\0\x1d", "JAVA CLASS"),
        (&object, "COFF"),
        (b"dex\n035\0abcd", "DEX"),
        (b"\0asm\x01\0\0\0", "WASM"),
        (b"\x1bLua\x53\0", "LUA BYTECODE"),
        (b"\x1bLJ\x02", "LUA BYTECODE"),
        (b"BC\xc0\xde\x35", "LLVM BITCODE"),
        (b"\x03\xf3\r\n\x01\x02\x03\x04c\0\0\0", "PYC"),
        (
            b"\xa7\x0d\r\n\0\0\0\0\x01\x02\x03\x04\x05\0\0\0\xe3\0\0",
            "PYC",
        ),
        (b"CWS\x0a\x12\0\0\0x\x9c", "SWF"),
        (&boot, "BOOT SECTOR"),
    ]);
}

#[test]
fn archives_and_streams() {
    let tar = sparse(512, &[(0, b"etc/passwd"), (257, b"ustar\x0000")]);
    let cpio = [b"070701".as_slice(), &[b'0'; 104], b"a\0"].concat();
    check(&[
        (b"7z\xbc\xaf\x27\x1c\0\x04", "7ZIP"),
        (b"Rar!\x1a\x07\0\xcf", "RAR"),
        (b"Rar!\x1a\x07\x01\0", "RAR"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "GZIP"),
        (b"BZh91AY&SY\x12\x34", "BZIP2"),
        (b"BZh9\x17rE8P\x90\0\0\0\0", "BZIP2"),
        (b"\xfd7zXZ\0\0\x04", "XZ"),
        (
            b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0\x05",
            "LZMA",
        ),
        (b"\x28\xb5\x2f\xfd\x24\x05", "ZSTD"),
        (b"\x04\x22\x4d\x18\x64\x40", "LZ4"),
        (b"LZIP\x01\x0c", "LZIP"),
        (b"\x89LZO\0\r\n\x1a\n\x10", "LZOP"),
        (b"\x1f\x9d\x90\x61", "COMPRESS"),
        (b"x\x9c\x4b\x4c\x4a\x06\0\x02", "ZLIB"),
        (b"\xff\x06\0\0sNaPpY\x01", "SNAPPY"),
        (b"MSCF\0\0\0\0\x20\x01", "CAB"),
        (b"ISc(\x4c\x60\0\x01", "INSTALLSHIELD CAB"),
        (b"SZDD\x88\xf0\x27\x33A\0", "SZDD"),
        (b"\x31\x31\x31\x00\x90\x14\x14**ACE**\x14", "ACE"),
        (b"\x60\xea\x27\0\x1e", "ARJ"),
        (b"\x21\x11-lh5-\x01\0\0\0", "LHA"),
        (b"ZOO 2.10 Archive.\x1a\0\0", "ZOO"),
        (b"ALZ\x01\x0a\0", "ALZ"),
        (b"!<arch>\ndebian-binary   1410122664", "DEB"),
        (b"!<arch>\nfoo.o/          0", "AR"),
        (b"\xed\xab\xee\xdb\x03\0", "RPM"),
        (b"xar!\0\x1c\0\x01", "XAR"),
        (&cpio, "CPIO"),
        (b"\xc7\x71\x12\0\x05", "CPIO"),
        (&tar, "TAR"),
        (b"Cr24\x03\0\0\0", "CRX"),
        (b"PAR2\0PKT\x10", "PAR2"),
        (
            b"\x04\0\0\0\x58\0\0\0\x54\0\0\0\x50\0\0\0{\"files\":{}}",
            "ASAR",
        ),
    ]);
}

#[test]
fn disk_images() {
    let iso = sparse(0x8800, &[(0x8001, b"CD001\x01")]);
    let udf = sparse(0x8800, &[(0x8001, b"BEA01\x01")]);
    let dmg = sparse(
        1024,
        &[(0, b"\xb7\xa1"), (512, b"koly\0\0\0\x04\0\0\x02\0")],
    );
    let fixed_vhd = sparse(2048, &[(0, b"\xb7"), (1536, b"conectix\0\0\0\x02")]);
    let vdi = sparse(
        128,
        &[
            (0, b"<<< Oracle VM VirtualBox"),
            (0x40, b"\x7f\x10\xda\xbe"),
        ],
    );
    let ext = sparse(2048, &[(0x438, b"\x53\xef")]);
    check(&[
        (&iso, "ISO"),
        (&udf, "ISO"),
        (&dmg, "DMG"),
        (&fixed_vhd, "VHD"),
        (b"conectix\0\0\0\x02", "VHD"),
        (b"vhdxfileM\0i\0", "VHDX"),
        (b"KDMV\x01\0\0\0", "VMDK"),
        (b"# Disk DescriptorFile\nversion=1\n", "VMDK"),
        (&vdi, "VDI"),
        (b"QFI\xfb\0\0\0\x03", "QCOW"),
        (b"MSWIM\0\0\0\xd0", "WIM"),
        (b"hsqs\x07\0\0\0", "SQUASHFS"),
        (b"\x45\x3d\xcd\x28\0\0", "CRAMFS"),
        (&ext, "EXT FILESYSTEM"),
        (b"LUKS\xba\xbe\0\x02", "LUKS"),
        (b"EVF\x09\x0d\x0a\xff\0\x01", "EWF"),
    ]);
}

#[test]
fn documents_and_mail() {
    check(&[
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"),
        (
            b"junk \x01\x02 junk\n%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>",
            "PDF",
        ),
        (b"{\\rtf1\\ansi hello}", "RTF"),
        (b"{\\rt##{\\object", "RTF"),
        (
            b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3",
            "ONENOTE",
        ),
        (b"ITSF\x03\0\0\0", "CHM"),
        (b"\x3f\x5f\x03\0\x12", "HLP"),
        (b"AT&TFORM\0\0\x01\x02DJVU", "DJVU"),
        (b"ActiveMime\0\0\x01\xf0", "ACTIVEMIME"),
        (b"!BDN\x12\x34\0\0", "PST"),
        (b"\xcf\xad\x12\xfe\xc5", "DBX"),
        (b"\x78\x9f\x3e\x22\x01", "TNEF"),
    ]);
}

#[test]
fn keys_and_tickets() {
    let asn1 = |body: &[u8]| {
        let len = u16::try_from(body.len()).unwrap().to_be_bytes();
        [b"\x30\x82", len.as_slice(), body].concat()
    };
    let pad = [0; 200];
    let with = |start: &[u8]| asn1(&[start, &pad].concat());
    check(&[
        (&with(b"\x30\x82\x01\x02"), "CERT"),
        (
            &with(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"),
            "PKCS7",
        ),
        (
            b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x80",
            "PKCS7",
        ),
        (&with(b"\x02\x01\x03\x30\x82"), "PKCS12"),
        (&with(b"\x02\x01\x00\x30\x0d"), "PRIVATE KEY"),
        (&with(b"\x30\x0d\x06\x09\x2a"), "PUBLIC KEY"),
        (b"\xfe\xed\xfe\xed\0\0\0\x02", "JAVA KEYSTORE"),
        (b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5\x01", "KEEPASS"),
        (b"\x05\x04\0\x0c\0\x01\0\x08\xff", "KERBEROS CCACHE"),
        (b"\x05\x02\0\0\0\x44", "KERBEROS KEYTAB"),
        (
            b"\x76\x82\x05\x10\x30\x82\x05\x0c\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x16",
            "KERBEROS TICKET",
        ),
        (
            b"\x01\0\0\0\xd0\x8c\x9d\xdf\x01\x15\xd1\x11\x8c\x7a\0\xc0\x4f\xc2\x97\xeb",
            "DPAPI BLOB",
        ),
    ]);
}

#[test]
fn traces_of_operating_systems() {
    check(&[
        (b"PAGEDU64\x0f\0", "CRASH DUMP"),
        (b"ElfFile\0\0\0", "EVTX"),
        (b"\x30\0\0\0LfLe\x01\0", "EVT"),
        (b"regf\x01\0\0\0", "REGISTRY HIVE"),
        (b"\x1e\0\0\0SCCA\x11\0", "PREFETCH"),
        (b"MAM\x04\xaa\xbb", "PREFETCH"),
        (
            b"\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46\x9b",
            "LNK",
        ),
        (b"\x12\x34\x56\x78\xef\xcd\xab\x89", "ESE DB"),
        (b"\x02\0\0\0\x01\0\0\0sdbf\x02", "SDB"),
        (b"FILE0\0\x03\0", "MFT"),
        (b"LPKSHHRH\0\0", "SYSTEMD JOURNAL"),
        (b"\xd4\xc3\xb2\xa1\x02\0\x04\0", "PCAP"),
        (b"\x0a\x0d\x0d\x0a\x1c\0\0\0", "PCAPNG"),
        (b"SQLite format 3\0\x10", "SQLITE"),
        (b"\0\x01\0\0Standard Jet DB\0", "ACCESS DB"),
        (b"\0\x01\0\0Standard ACE DB\0", "ACCESS DB"),
        (b"bplist00\xd4\x01", "BPLIST"),
        (b"\0\0\0\x01Bud1\0\0", "DS_STORE"),
    ]);
}

#[test]
fn serialised_data() {
    check(&[
        (b"\xac\xed\0\x05sr\0", "JAVA SERIALIZED"),
        (
            b"\0\x01\0\0\0\xff\xff\xff\xff\x01\0\0\0\0\0\0\0\x0c",
            "NET SERIALIZED",
        ),
        (b"\x80\x04\x95\x05\0cos\nsystem\n.", "PICKLE"),
        (b"\x93NUMPY\x01\0", "NUMPY"),
        (b"GGUF\x03\0\0\0", "GGUF"),
        (b"\x89HDF\r\n\x1a\n\0", "HDF5"),
        (b"PAR1\x15\x04", "PARQUET"),
        (b"d8:announce35:udp://x", "TORRENT"),
        (b"PACK\0\0\0\x02", "GIT PACK"),
        (b"# v2 git bundle\nabc", "GIT BUNDLE"),
    ]);
}

#[test]
fn pictures() {
    let icon = sparse(
        64,
        &[(2, b"\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0\x68\x04\0\0\x16")],
    );
    let cursor = sparse(
        64,
        &[(2, b"\x02\0\x01\0\x10\x10\0\0\x01\0\x20\0\x68\x04\0\0\x16")],
    );
    let bitmap = sparse(64, &[(0, b"BM\x40"), (10, b"\x36"), (14, b"\x28")]);
    let metafile = sparse(64, &[(0, b"\x01"), (4, b"\x6c"), (40, b" EMF")]);
    check(&[
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "JPEG"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", "PNG"),
        (b"GIF89a\x01\0\x01\0\x80", "GIF"),
        (b"GIF87a", "GIF"),
        (&bitmap, "BMP"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"MM\0*\0\0\0\x08", "TIFF"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "WEBP"),
        (&icon, "ICO"),
        (&cursor, "CUR"),
        (b"RIFF\x24\0\0\0ACON", "ANI"),
        (b"8BPS\0\x01", "PSD"),
        (b"\0\0\0\x18ftypheic\0\0", "HEIC"),
        (b"\0\0\0\x1cftypavif\0\0", "AVIF"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JP2"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JXL"),
        (b"icns\0\x01", "ICNS"),
        (&metafile, "EMF"),
        (b"\xd7\xcd\xc6\x9a\0\0\x12", "WMF"),
        (b"gimp xcf v011\0", "XCF"),
        (b"DDS \x7c\0\0\0", "DDS"),
    ]);
}

#[test]
fn sound_film_and_fonts() {
    let mp3 = sparse(
        1024,
        &[(0, b"\xff\xfb\x90\x64"), (417, b"\xff\xfb\x90\x64")],
    );
    let transport = sparse(600, &[(0, b"G"), (188, b"G"), (376, b"G"), (564, b"G")]);
    check(&[
        (b"ID3\x03\0\0\0\0\x0f\x76TIT2", "MP3"),
        (&mp3, "MP3"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "WAV"),
        (b"fLaC\0\0\0\x22", "FLAC"),
        (b"OggS\0\x02\0\0", "OGG"),
        (b"\0\0\0\x20ftypM4A \0", "M4A"),
        (b"MThd\0\0\0\x06\0\x01", "MIDI"),
        (b"FORM\0\0\x10\0AIFFCOMM", "AIFF"),
        (b"#!AMR\n\x3c", "AMR"),
        (b".snd\0\0\0\x18", "AU"),
        (b"\0\0\0\x18ftypmp42\0\0", "MP4"),
        (b"\0\0\0\x18ftypqt  \0\0", "MOV"),
        (b"\0\0\0\x08wide\0\0\x10\0mdat", "MOV"),
        (b"\0\0\0\x18ftyp3gp4\0\0", "3GP"),
        (b"RIFF\x24\0\0\0AVI LIST", "AVI"),
        (b"RIFF\x24\0\0\0XXXX", "RIFF"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska", "MKV"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", "WEBM"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", "ASF"),
        (b"FLV\x01\x05", "FLV"),
        (b"\0\0\x01\xba\x44", "MPEG"),
        (&transport, "MPEG"),
        (b".RMF\0\0\0\x12\0", "REALMEDIA"),
        (b"\0\x01\0\0\0\x11\x01\0\0\x04\0\x10", "TTF"),
        (b"OTTO\0\x0b\0\x80", "OTF"),
        (b"wOFF\0\x01\0\0", "WOFF"),
        (b"wOF2\0\x01\0\0", "WOFF2"),
    ]);
}

#[test]
fn formats_of_the_crate_come_under_names_of_our_own() {
    let dicom = sparse(256, &[(128, b"DICM\x02")]);
    check(&[
        (b"BLENDER-v300\0\0", "BLEND"),
        (b"Obj\x01\x04\x14avro", "AVRO"),
        (b"wvpk\x12\0\0\0", "WAVPACK"),
        (b"AC1032\0\0\0\0", "DWG"),
        (&dicom, "DICOM"),
        (b"qoif\0\0\x01\0", "QOI"),
        (b"# Inter-Quake Export\n", "IQE"),
        (b"ISO-10303-21;\nHEADER;\n", "STEP"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nHi\n", "SRT"),
    ]);
}

#[test]
fn nothing_is_made_up() {
    check(&[
        (b"", "EMPTY"),
        (b"\0", "UNKNOWN"),
        (&[0; 4096], "UNKNOWN"),
        (b"\x01\x02\x03\x04\x05\x06", "UNKNOWN"),
        (b"\x30\x82\xff\xff\x01\x02", "UNKNOWN"),
        (b"\xff\xfb\x90\x64\x01\x02\x03", "UNKNOWN"),
    ]);
}

#[test]
fn there_are_enough_types_and_each_is_whole() {
    let all: Vec<_> = catalogue::ALL.iter().copied().chain(names::all()).collect();
    let names: std::collections::BTreeSet<_> = all.iter().map(|found| found.name()).collect();
    assert!(names.len() >= 250, "{} types", names.len());
    for found in all {
        assert!(
            !found.name().is_empty() && found.media_type().contains('/'),
            "{found:?}"
        );
        let is_lower = |extension: &&str| !extension.bytes().any(|byte| byte.is_ascii_uppercase());
        assert!(found.extensions().iter().all(is_lower), "{found:?}");
    }
    let own: std::collections::BTreeSet<_> =
        catalogue::ALL.iter().map(|found| found.name()).collect();
    assert_eq!(own.len(), catalogue::ALL.len(), "a name is used twice");
}

#[test]
fn a_type_says_what_family_it_is_of() {
    let found = detect(b"\x7fELF\x02\x01\x01");
    assert_eq!(found.kind(), Kind::Executable);
    assert_eq!(found.media_type(), "application/x-elf");
    assert!(found.extensions().contains(&"so"));
    assert_eq!(found.to_string(), "ELF");
}
