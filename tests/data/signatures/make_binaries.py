#!/usr/bin/env python3
"""Makes the binary test files of the starter signatures.

The files are inert: headers of the format, the strings a rule looks for, and
zeros where code would be. The output depends on nothing but this script.

    make_binaries.py           write the files
    make_binaries.py --check   exit with 1 when a stored file differs
"""

import base64
import struct
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOS_TEXT = b"This program cannot be run in DOS mode.\r\r\n$"


def pe(sections=(".text", ".data"), body=b""):
    """Returns a 64-bit Windows program: real headers, `body` as its only content."""
    dos = b"MZ" + struct.pack("<29HI", *([0x90, 3, 0, 4, 0, 0xFFFF, 0, 0xB8] + [0] * 21), 0x80)
    stub = bytes.fromhex("0e1fba0e00b409cd21b8014ccd21") + DOS_TEXT
    coff = struct.pack("<HHIIIHH", 0x8664, len(sections), 0, 0, 0, 240, 0x22)
    optional = struct.pack("<HBBIIIII", 0x20B, 14, 0, 0x200, 0, 0, 0x1000, 0x1000)
    optional += struct.pack("<QII", 0x140000000, 0x1000, 0x200)
    optional += struct.pack("<HHHHHHIIIIHH", 6, 0, 0, 0, 6, 0, 0, 0x4000, 0x400, 0, 3, 0)
    optional = (optional + struct.pack("<QQQQII", 1 << 20, 1 << 12, 1 << 20, 1 << 12, 0, 16)).ljust(240, b"\0")
    table = b""
    for place, name in enumerate(sections):
        table += name.encode().ljust(8, b"\0")
        table += struct.pack("<IIIIIIHHI", 0x200, 0x1000 * (place + 1), 0x200, 0x400, 0, 0, 0, 0, 0x60000020)
    head = ((dos + stub).ljust(0x80, b"\0") + b"PE\0\0" + coff + optional + table).ljust(0x400, b"\0")
    return head + body.ljust(0x200, b"\0")


def upx():
    """Returns a program with the section names and the mark of the packer UPX."""
    return pe(("UPX0", "UPX1", ".rsrc"), b"4.22\0UPX!\x0d\x24\x0e\x0a")


def elf(kind=2, body=b""):
    """Returns a 64-bit Linux program (`kind` 2) or library (3) without segments."""
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    head += struct.pack("<HHIQQQIHHHHHH", kind, 62, 1, 0, 0, 0, 0, 64, 56, 0, 64, 0, 0)
    return head + body.ljust(64, b"\0")


def strings(*texts):
    """Returns texts as a string table, each closed by a zero byte."""
    return b"\0" + b"".join(text.encode() + b"\0" for text in texts)


def lnk(target, arguments="", behind=b""):
    """Returns a shortcut with a relative target, arguments, and bytes behind its end."""
    flags = 0x08 | 0x80 | (0x20 if arguments else 0)
    head = struct.pack("<I", 0x4C) + bytes.fromhex("0114020000000000c000000000000046")
    head += struct.pack("<IIQQQIIIHHII", flags, 0x20, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0)
    data = b""
    for text in filter(None, (target, arguments)):
        data += struct.pack("<H", len(text)) + text.encode("utf-16-le")
    return head + data + struct.pack("<I", 0) + behind


def minidump(*modules):
    """Returns the header of a memory dump and the names of its modules."""
    head = struct.pack("<4sIIIIIQ", b"MDMP", 0xA793, 1, 32, 0, 0, 2)
    for module in modules:
        text = module.encode("utf-16-le")
        head += struct.pack("<I", len(text)) + text + b"\0\0"
    return head


def compound(*parts):
    """Returns the first sector of an old Office document with parts in the next ones."""
    head = bytes.fromhex("d0cf11e0a1b11ae1").ljust(24, b"\0")
    head += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    return head.ljust(512, b"\0") + b"".join(part.ljust(512, b"\0") for part in parts)


def sheet(name, hidden, macro):
    """Returns the record of a workbook that announces a sheet."""
    text = struct.pack("<BB", len(name), 0) + name.encode()
    return struct.pack("<HHIBB", 0x85, 6 + len(text), 0x1234, hidden, macro) + text


def embedded(name, path):
    """Returns the stream of a file embedded in an Office document."""
    directory = "\x01Ole10Native".encode("utf-16-le").ljust(64, b"\0")
    stream = struct.pack("<IH", 64, 2) + name.encode() + b"\0" + path.encode() + b"\0\0\0\x03\0"
    return directory, stream + path.encode() + b"\0"


def onenote(content):
    """Returns a notebook page with one embedded file."""
    head = bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3").ljust(1024, b"\0")
    store = bytes.fromhex("e716e3bd65261145a4c48d4d0b7a9eac")
    return head + store + struct.pack("<QIQ", len(content), 0, 0) + content.ljust(600, b"\0")


def png(behind=b""):
    """Returns a picture of one pixel with bytes behind its end."""
    return base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
    ) + behind


DOWNLOADS = "C:\\Users\\example\\Downloads\\"
SHELLCODE_X64 = bytes.fromhex("fc4883e4f0e8c0000000415141505251")

# Rule, stored name, path on the sender (None: the stored name), content.
CASES = (
    ("Credentials_LSASS_Dumper_Program", "positive.exe", None,
     pe(body=strings("lsass.exe", "SeDebugPrivilege", "OpenProcess", "MiniDumpWriteDump", "dbghelp.dll"))),
    ("Credentials_LSASS_Dumper_Program", "near_miss.exe", None,
     pe(body=strings("example.exe", "OpenProcess", "MiniDumpWriteDump", "dbghelp.dll", "crash.dmp"))),
    ("Credentials_LSASS_Dump_File", "positive.dmp", None,
     minidump(*("C:\\Windows\\System32\\" + name for name in ("lsass.exe", "lsasrv.dll", "wdigest.dll", "samsrv.dll")))),
    ("Credentials_LSASS_Dump_File", "near_miss.dmp", None,
     minidump("C:\\Program Files\\Example\\example.exe", "C:\\Windows\\System32\\msv1_0.dll")),
    ("Disguise_ELF_As_Document", "positive.bin", "/var/www/html/uploads/photo.jpg", elf()),
    ("Disguise_ELF_As_Document", "near_miss.bin", "/usr/lib/example/plugin.so", elf(3)),
    ("Disguise_ELF_Hidden_Temporary", "positive.bin", "/tmp/.X1-lock/.k", elf()),
    ("Disguise_ELF_Hidden_Temporary", "positive_2.bin", "/dev/shm/.u/sync", elf()),
    ("Disguise_ELF_Hidden_Temporary", "near_miss.bin", "/tmp/build/conftest", elf()),
    ("Disguise_Kernel_Thread_Name", "positive.bin", "/usr/local/lib/[kworker]", elf()),
    ("Disguise_Kernel_Thread_Name", "positive_2.bin", "/var/tmp/kdevtmpfsi", elf()),
    ("Disguise_Kernel_Thread_Name", "near_miss.bin", "/usr/bin/worker", elf()),
    ("Disguise_Program_As_Document", "positive.bin", DOWNLOADS + "Contract.PDF", pe()),
    ("Disguise_Program_As_Document", "near_miss.bin", DOWNLOADS + "setup.exe", pe()),
    ("Disguise_Program_As_Document", "near_miss_2.bin", DOWNLOADS + "letters.txt", b"MZ are two letters.\n".ljust(80)),
    ("Disguise_Program_Behind_Picture", "positive.png", None, png(pe())),
    ("Disguise_Program_Behind_Picture", "near_miss.png", None, png(b"MZ" + DOS_TEXT)),
    ("Disguise_Program_Double_Extension", "positive.bin", DOWNLOADS + "Invoice.pdf          .exe", pe()),
    ("Disguise_Program_Double_Extension", "near_miss.bin", DOWNLOADS + "pdf.converter.2.exe", pe()),
    ("Disguise_System_Name_Wrong_Folder", "positive.bin", "C:\\Users\\Public\\svchost.exe", pe()),
    ("Disguise_System_Name_Wrong_Folder", "near_miss.bin", "C:\\Windows\\System32\\svchost.exe", pe()),
    ("Disguise_UPX_Odd_Name", "positive.bin", "C:\\ProgramData\\cache.dat", upx()),
    ("Disguise_UPX_Odd_Name", "near_miss.bin", "C:\\Tools\\example.exe", upx()),
    ("Disguise_UPX_System_Name", "positive.bin", "C:\\ProgramData\\svchost.exe", upx()),
    ("Disguise_UPX_System_Name", "near_miss.bin", "C:\\Windows\\System32\\svchost.exe", pe()),
    ("Dropper_LNK_Payload", "positive.lnk", None, lnk("..\\notes.txt", behind=bytes(2048) + pe())),
    ("Dropper_LNK_Payload", "near_miss.lnk", None, lnk("..\\notes.txt", behind=bytes(4096))),
    ("Dropper_LNK_Script", "positive.lnk", None,
     lnk("..\\Windows\\System32\\mshta.exe", "https://files.example.net/a.hta")),
    ("Dropper_LNK_Script", "positive_2.lnk", None,
     lnk("..\\powershell.exe", "-w hidden -nop -c \"echo inert\"")),
    ("Dropper_LNK_Script", "near_miss.lnk", None,
     lnk("..\\Windows\\System32\\cmd.exe", "/k C:\\Tools\\setenv.bat")),
    ("Dropper_OneNote", "positive.one", None, onenote(b"<script language=\"vbscript\">' inert</script>")),
    ("Dropper_OneNote", "positive_2.one", None, onenote(pe())),
    ("Dropper_OneNote", "near_miss.one", None, onenote(png())),
    ("Macro_Embedded_Program", "positive.doc", None,
     compound(*embedded("invoice.js", "C:\\Users\\example\\invoice.js"))),
    ("Macro_Embedded_Program", "near_miss.doc", None,
     compound(*embedded("figures.xlsx", "C:\\Users\\example\\figures.xlsx"))),
    ("Macro_Hidden_Excel4_Sheet", "positive.xls", None, compound(sheet("Sheet1", 0, 0) + sheet("Macro1", 2, 1))),
    ("Macro_Hidden_Excel4_Sheet", "near_miss.xls", None, compound(sheet("Sheet1", 0, 0) + sheet("Notes", 1, 0))),
    ("Persistence_Preload_Rootkit", "positive.so", None,
     elf(3, strings("/etc/ld.so.preload", "readdir", "readdir64", "dlsym", "__xstat", "lstat", "/proc/self/fd/%d"))),
    ("Persistence_Preload_Rootkit", "near_miss.so", None,
     elf(3, strings("readdir", "dlsym", "__xstat", "lstat", "malloc", "/proc/self/maps"))),
    ("Tool_Reflective_Library", "positive.dll", None, pe(body=strings("a.dll", "ReflectiveLoader"))),
    ("Tool_Reflective_Library", "near_miss.dll", None, pe(body=strings("a.dll", "ReflectionLoader", "Loader"))),
    ("Tool_Shellcode_Start", "positive.bin", None, SHELLCODE_X64 + bytes(64)),
    ("Tool_Shellcode_Start", "positive_2.txt", None, b"buf = [0xfc, 0x48, 0x83, 0xe4, 0xf0, 0xe8, 0xc0]\n"),
    ("Tool_Shellcode_Start", "near_miss.bin", None, SHELLCODE_X64[::-1] + bytes(64)),
)


def stored():
    """Returns what belongs into the folder: path to content."""
    files, names = {}, {}
    for rule, name, path, data in CASES:
        folder = HERE / f"SQUALL_{rule}"
        files[folder / f"{name}.b64"] = base64.encodebytes(data)
        if path:
            names.setdefault(folder / "name.txt", []).append(f"{name.split('.')[0]}: {path}")
    for sidecar, lines in names.items():
        files[sidecar] = ("\n".join(sorted(lines)) + "\n").encode()
    return files


def main():
    """Writes or compares the files."""
    check = sys.argv[1:] == ["--check"]
    different = 0
    for path, data in stored().items():
        if path.exists() and path.read_bytes() == data:
            continue
        different += 1
        if check:
            print(f"differs: {path.relative_to(HERE)}")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
    print(f"{different} files {'differ' if check else 'written'}")
    return 1 if check and different else 0


if __name__ == "__main__":
    sys.exit(main())
