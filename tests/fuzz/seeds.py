"""Makes the inputs the fuzzer starts from: a small sound file of each format that Python can write.

Usage: seeds.py FOLDER
"""

import base64
import bz2
import gzip
import io
import lzma
import struct
import sys
import tarfile
import zipfile
import zlib
from email.message import EmailMessage
from pathlib import Path

TEXT = b"MZ hello, world\n" * 3


def made_zip(method):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("inner/a.txt", TEXT)
        archive.writestr("b.js", b"eval(1)")
    return out.getvalue()


def made_tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in ("a.txt", "long/" * 30 + "b"):
            member = tarfile.TarInfo(name)
            member.size = len(TEXT)
            archive.addfile(member, io.BytesIO(TEXT))
    return out.getvalue()


def made_ar():
    head = b"a.txt/          0           0     0     100644  %-10d`\n" % len(TEXT)
    return b"!<arch>\n" + head + TEXT


def made_mail():
    mail = EmailMessage()
    mail["Subject"], mail["From"] = "Grüße", "a@example.org"
    mail.set_content("see attachment")
    mail.add_attachment(made_zip(zipfile.ZIP_STORED), maintype="application", subtype="zip", filename="ä b.zip")
    return mail.as_bytes()


def made_pdf():
    packed = zlib.compress(TEXT)
    return b"".join([
        b"%PDF-1.7\n1 0 obj <</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>> endobj\n",
        b"2 0 obj <</Type/Pages/Kids[]/Count 0>> endobj\n",
        b"3 0 obj <</Type/EmbeddedFile/Filter/FlateDecode/Length %d>> stream\n" % len(packed), packed, b"\nendstream endobj\n",
        b"4 0 obj <</Filter[/ASCIIHexDecode/ASCII85Decode/LZWDecode/RunLengthDecode]/Length 3>> stream\n41>\nendstream endobj\n",
        b"trailer <</Root 1 0 R/Encrypt 5 0 R/ID[<01><02>]>>\n5 0 obj <</Filter/Standard/V 4/R 4/Length 128/P -4",
        b"/O<", b"00" * 32, b">/U<", b"00" * 32, b">>> endobj\n%%EOF\n",
    ])  # fmt: skip


def made_ole():
    """A compound file with a FAT, a directory and one stream in the mini stream."""
    free, end, fat = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 2, 1, end, 0) + struct.pack("<I", 0) + struct.pack("<I", free) * 108
    table = struct.pack("<IIII", fat, end, end, end) + struct.pack("<I", free) * 124

    def entry(name, kind, child, start, size):
        text = name.encode("utf-16-le")
        return (text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text) + 2, kind, 1, free, free, child)
                + bytes(36) + struct.pack("<IQ", start, size))  # fmt: skip

    directory = entry("Root Entry", 5, 1, 3, 512) + entry("\1Ole10Native", 2, free, 0, 64) + entry("", 0, free, 0, 0) * 2
    mini = struct.pack("<I", end) + struct.pack("<I", free) * 127
    native = struct.pack("<I", 60) + b"\2\0a.exe\0C:\\a.exe\0" + TEXT
    return head + table + directory + mini + native.ljust(512, b"\0")


def made_lnk():
    head = struct.pack("<I", 0x4C) + bytes.fromhex("0114020000000000c000000000000046") + struct.pack("<II", 0xFC, 0x20)
    strings = b"".join(struct.pack("<H", len(s)) + s.encode("utf-16-le") for s in ("n", "..\\a.exe", "C:\\", "/c calc", "i"))
    return head.ljust(0x4C, b"\0") + strings + bytes(4)


def made_tnef():
    def attribute(level, tag, data):
        return struct.pack("<BII", level, tag, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)

    return (struct.pack("<IH", 0x223E9F78, 1) + attribute(2, 0x00069002, bytes(14))
            + attribute(2, 0x00018010, b"a.exe\0") + attribute(2, 0x0006800F, TEXT))  # fmt: skip


def made_onenote():
    guid = bytes.fromhex("e416e1bd36d5484bc2b8f2a0ef3fd36c")
    return bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3") + bytes(64) + guid + struct.pack("<Q", len(TEXT)) + bytes(12) + TEXT


def made_cpio():
    def entry(name, data):
        fields = (1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name + b"\0"
        head += bytes(-len(head) % 4)
        return head + data + bytes(-len(data) % 4)

    return entry(b"./a.txt", TEXT) + entry(b"TRAILER!!!", b"")


def made_cab():
    """A cabinet with one stored and one MSZIP block."""

    def cabinet(method, block):
        name = b"a.exe\0"
        file_at = 36 + 8
        data_at = file_at + 16 + len(name)
        size = data_at + 8 + len(block)
        head = b"MSCF" + struct.pack("<IIIIIBBHHHHH", 0, size, 0, file_at, 0, 3, 1, 1, 1, 0, 0, 0)
        folder = struct.pack("<IHH", data_at, 1, method)
        file = struct.pack("<IIHHHH", len(TEXT), 0, 0, 0, 0, 0x20) + name
        return head + folder + file + struct.pack("<IHH", 0, len(block), len(TEXT)) + block

    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return [cabinet(0, TEXT), cabinet(1, b"CK" + packer.compress(TEXT) + packer.flush())]


def made_rpm():
    """The lead, an empty signature, a header that names the payload's compression, and the payload."""

    def header(tags):
        index, store = b"", b""
        for tag, text in tags:
            index += struct.pack(">IIII", tag, 6, len(store), 1)
            store += text + b"\0"
        return b"\x8e\xad\xe8\1\0\0\0\0" + struct.pack(">II", len(tags), len(store)) + index + store

    lead = b"\xed\xab\xee\xdb\3\0\0\0\0\1" + b"a-1-1".ljust(66, b"\0") + b"\0\1\0\5" + bytes(16)
    payload = [(1124, b"cpio"), (1125, b"gzip"), (1126, b"9")]
    return lead + header([]) + header(payload) + gzip.compress(made_cpio())


def made_iso():
    """One volume with a root directory that holds one file."""

    def both(number):
        return struct.pack("<I", number) + struct.pack(">I", number)

    def record(name, sector, size, flags):
        body = b"\0" + both(sector) + both(size) + bytes(7) + bytes([flags, 0, 0]) + b"\1\0\0\1" + bytes([len(name)]) + name
        body += bytes((len(body) + 1) % 2)
        return bytes([len(body) + 1]) + body

    root = record(b"\0", 18, 2048, 2)
    volume = b"\1CD001\1\0" + b" " * 64 + bytes(8) + both(20) + bytes(32) + b"\1\0\0\1" * 2 + b"\0\x08\x08\0" + bytes(24) + root
    directory = root + record(b"\1", 18, 2048, 2) + record(b"A.EXE;1", 19, len(TEXT), 0)
    sectors = [volume, b"\xffCD001\1", directory, TEXT]
    return bytes(16 * 2048) + b"".join(sector.ljust(2048, b"\0") for sector in sectors)


def made_rar():
    """RAR 5 with one stored file."""

    def block(body, data=b""):
        body = bytes([len(body)]) + body
        return struct.pack("<I", zlib.crc32(body)) + body + data

    file = b"\2\2" + bytes([len(TEXT)]) + b"\4" + bytes([len(TEXT)]) + b"\0" + struct.pack("<I", zlib.crc32(TEXT)) + b"\0\1\5a.exe"
    return b"Rar!\x1a\7\1\0" + block(b"\1\0\0") + block(file, TEXT) + block(b"\5\0\0")


def made_program():
    """The headers of a Windows program, and an archive behind it."""
    head = (b"MZ" + bytes(58) + struct.pack("<I", 64)).ljust(64, b"\0")
    head += b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, 1, 0, 0, 0, 224, 0x102) + b"\x0b\1" + bytes(222)
    section = b".text\0\0\0" + struct.pack("<IIII", 512, 4096, 512, 512) + bytes(16)
    return (head + section).ljust(1024, b"\0") + made_zip(zipfile.ZIP_DEFLATED)


def made_elf():
    """The headers of a program for Linux, and an archive behind it."""
    head = b"\x7fELF\2\1\1".ljust(16, b"\0") + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 120, 120, 1)
    return head + segment + made_zip(zipfile.ZIP_DEFLATED)


def made_python():
    """A program packed by PyInstaller: one script, one archive of modules."""
    module = zlib.compress(TEXT)
    modules = b"PYZ\0" + bytes(4) + struct.pack(">I", 17 + len(module)) + bytes(5) + module + b"list"
    data, entries = b"", b""
    for name, packed, flag, kind in [(b"a", zlib.compress(TEXT), 1, b"s"), (b"z", modules, 0, b"z")]:
        entries += struct.pack(">IIIIB", 32, len(data), len(packed), len(TEXT), flag) + kind + name.ljust(14, b"\0")
        data += packed
    body = data + entries
    end = b"MEI\x0c\x0b\x0a\x0b\x0e" + struct.pack(">IIII", len(body) + 88, len(data), len(entries), 311) + bytes(64)
    return made_program()[:1024] + body + end


def made_sparse():
    """A tar archive with a sparse file, its map before its content."""

    def header(name, size, kind):
        head = bytearray(512)
        head[: len(name)] = name
        head[100:108], head[124:136], head[148:156], head[156] = b"0000644\0", b"%011o\0" % size, b" " * 8, ord(kind)
        head[257:265] = b"ustar\x0000"
        head[148:156] = b"%06o\0 " % sum(head)
        return bytes(head)

    records = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n27 GNU.sparse.realsize=900\n"
    content = b"1\n512\n%d\n" % len(TEXT)
    content = content.ljust(512, b"\0") + TEXT
    padded = content.ljust(-(-len(content) // 512) * 512, b"\0")
    return header(b"x", len(records), "x") + records.ljust(512, b"\0") + header(b"a", len(content), "0") + padded + bytes(1024)


def streams():
    """One compressed stream of each kind that Python can write, with the byte before it that chooses its decoder."""
    packed = [gzip.compress(TEXT), bz2.compress(TEXT), lzma.compress(TEXT), lzma.compress(TEXT, lzma.FORMAT_ALONE)]
    seeds = [bytes([number]) + stream for number, stream in enumerate(packed)]
    lzip = lzma.compress(TEXT, lzma.FORMAT_ALONE)[13:]
    seeds.append(b"\4LZIP\1\x17" + lzip + struct.pack("<IQQ", zlib.crc32(TEXT), len(TEXT), 26 + len(lzip)))
    # One raw block each.
    seeds.append(b"\5\x28\xb5\x2f\xfd\x20" + bytes([len(TEXT)]) + struct.pack("<I", len(TEXT) << 3 | 1)[:3] + TEXT)
    seeds.append(b"\6\x04\x22\x4d\x18\x60\x40\x82" + struct.pack("<I", 0x80000000 | len(TEXT)) + TEXT + bytes(4))
    seeds.append(b"\6\x02\x21\x4c\x18" + struct.pack("<I", len(TEXT) + 2) + b"\xf0" + bytes([len(TEXT) - 15]) + TEXT)
    seeds.append(b"\7" + zlib.compress(TEXT))
    return seeds


def fixtures(pattern):
    """The samples of the engine's own tests, made by other programs."""
    found = sorted((Path(__file__).resolve().parents[2] / "crates/squall-engine/src/unpack").glob(pattern))
    if not found:
        raise SystemExit(f"no file is {pattern}")
    return [base64.b64decode(path.read_text()) if path.suffix == ".b64" else path.read_bytes() for path in found]


SEEDS = {
    "unpack_zip": [made_zip(zipfile.ZIP_STORED), made_zip(zipfile.ZIP_DEFLATED), made_zip(zipfile.ZIP_BZIP2), made_zip(zipfile.ZIP_LZMA)],
    "unpack_tar": [made_tar(), made_sparse()],
    "unpack_ar": [made_ar()],
    "unpack_seven_zip": fixtures("tests/*.7z.b64"),
    "unpack_cab": made_cab(),
    "unpack_cpio": [made_cpio(), b"070707" + b"0" * 18 + b"100644" + b"0" * 52],
    "unpack_rpm": [made_rpm()],
    "unpack_iso": [made_iso()],
    "unpack_rar": [made_rar(), b"Rar!\x1a\7\0\xcf\x90\x73\0\0\r\0" + bytes(6)],
    "unpack_program": [made_program(), made_elf(), made_python()],
    "unpack_media": [b"\x89PNG\r\n\x1a\n" + made_zip(zipfile.ZIP_DEFLATED)],
    "unpack_other": [bytes([1]) + made_zip(zipfile.ZIP_DEFLATED), TEXT + b"\1" + made_rar(), b"\1" + fixtures("tests/plain.7z.b64")[0],
                     b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(b"MZ" + bytes(60) + TEXT)],
    "unpack_flash": [b"CWS\x0f" + struct.pack("<I", len(TEXT) + 8) + zlib.compress(TEXT)],
    "unpack_stream": streams(),
    "unpack_mail": [made_mail(), b"From a\n" + made_mail(), b"Content-Type: text/plain\n\nbegin 644 a\n#0V%T\n`\nend\n"],
    "unpack_ole": [made_ole(), *fixtures("ole/office_crypt/samples/*.docx")],
    "unpack_pdf": [made_pdf(), *fixtures("pdf/crypt/samples/*.pdf")],
    "unpack_rtf": [b"{\\rtf1{\\object\\objemb{\\*\\objdata 01050000020000000800000050617" b"36b616765000000000000000000}}}"],
    "unpack_lnk": [made_lnk()],
    "unpack_tnef": [made_tnef()],
    "unpack_onenote": [made_onenote()],
    "unpack_blobs": [b'x = "' + base64.b64encode(b"MZ" + bytes(60) + TEXT) + b'"', b"s=" + (b"MZ" + bytes(60)).hex().encode(), b"[77,90,144,0,3]",
                     b"#!/bin/sh\n" + gzip.compress(TEXT), b"#!/bin/sh\n" + made_tar()],
    "unpack_detected": [gzip.compress(TEXT), bz2.compress(TEXT), lzma.compress(TEXT), lzma.compress(TEXT, lzma.FORMAT_ALONE),
                        b"\x50\x2a\x4d\x18\2\0\0\0ab\x28\xb5\x2f\xfd\x20" + bytes([len(TEXT)]) + struct.pack("<I", len(TEXT) << 3 | 1)[:3] + TEXT,
                        bytes.fromhex("840c03") + bytes(8) + bytes.fromhex("010001d20501"), bytes.fromhex("8c0d04090308") + bytes(9) + bytes.fromhex("d240")],
    "indicators": [
        b"\0d41d8cd98f00b204e9800998ecf8427e;80;a comment\n# next\n" + b"a" * 64,
        b"\2\\\\temp\\\\[a-z]{3}\\.exe;70;\\\\good\n(?i)x.*y;-20\n",
        b"\3keyword\n",
        b"\4evil.example.org;80\n192.0.2.0/24\n2001:db8::/32\n",
    ],
    "stix": [
        b'{"type":"bundle","objects":[{"type":"indicator","pattern_type":"stix","pattern":'
        b'"[file:name LIKE \'a%.exe\' AND (file:size >= 10 OR file:hashes.MD5 = \'d41d8cd98f00b204e9800998ecf8427e\')]"}]}'
    ],
    "multipart": [
        b"\x10--b0undary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\a.exe\"\r\n\r\nMZ\r\n--b0undary--\r\n"
    ],
    "disposition": [b"form-data; name=\"file\"; filename=\"a.exe\"; filename*=UTF-8''%e4%20b"],
    "rule_files": [
        b'include "1.yar"\ninclude "2.yar"\n/* a comment */ rule a : tag { strings: $a = "x" condition: $a }\n\0'
        b'import "pe"\ninclude "./1.yar" private global rule b { meta: score = 5 condition: pe.is_pe }\0rule c { condition: true }'
    ],
    "names": [b"C:\\Users\\x\\a.exe", b"/var/www/a.php"],
}
SEEDS["recognise"] = [seed for name, seeds in SEEDS.items() if name.startswith("unpack") for seed in seeds]
SEEDS["unpack_detected"] += SEEDS["recognise"]


def main():
    for target, seeds in SEEDS.items():
        folder = Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds):
            (folder / f"{number}").write_bytes(seed)


main()
