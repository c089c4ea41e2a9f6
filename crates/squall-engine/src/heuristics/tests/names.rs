//! Names made to be misread.

use super::{BATCH, JS, TEXT, VBS, elf, exe, file, lnk};

#[test]
fn a_double_extension_is_found() {
    for name in [
        "invoice.pdf.exe",
        "C:\\Users\\x\\Downloads\\Invoice.PDF.EXE",
        "photo.jpg.scr",
        "film.mp4.com",
        "notes.txt.exe",
        "page.html.hta",
        "a.b.docx.cpl",
        "invoice.pdf .exe",
        "résumé.doc.pif",
    ] {
        file(name, exe()).expect(&["Double_Extension"]);
    }
    // Whatever the content is.
    file("invoice.pdf.vbs", VBS).expect(&["Double_Extension"]);
    file("invoice.pdf.bat", BATCH).expect(&["Double_Extension"]);
    file("invoice.pdf.exe", TEXT).expect(&["Double_Extension"]);
    file("invoice.pdf.exe", "").expect(&["Double_Extension"]);
}

#[test]
fn the_double_extension_is_pointed_at() {
    let shown = file("/tmp/my.invoice.pdf   .exe", exe()).shown();
    assert_eq!(shown, [".pdf   .exe"]);
    let member = file("x/invoice.pdf.exe", exe()).out_of(&["ZIP"]);
    assert_eq!(member.shown(), [".pdf.exe"]);
}

#[test]
fn ordinary_names_with_two_dots_are_not_meant() {
    for name in [
        "setup.exe",
        "pdf.exe",
        ".pdf.exe",
        " .pdf.exe",
        "PortableGit-2.50.1-64-bit.7z.exe",
        "app.config.exe",
        "Acme.Csv.exe",
        "Acme.Html.exe",
        "python3.13.exe",
        "v1.2.exe",
        "report.pdf.exe.config",
        "invoice.pdf/setup.exe",
    ] {
        file(name, exe()).expect(&[]);
    }
    for name in [
        "www.example.com",
        "my.doc.com",
        "page.html.bat",
        "notes.txt.ps1",
        "pdf.js",
        "archive.tar.gz",
        "report.pdf",
    ] {
        file(name, TEXT).expect(&[]);
    }
}

#[test]
fn shortcuts_and_bundles_count_only_where_they_do_not_belong() {
    // Windows keeps those in `Recent`.
    file("report.pdf.lnk", lnk()).expect(&[]);
    file("report.pdf.lnk", lnk())
        .out_of(&["ZIP"])
        .expect(&["Double_Extension"]);
    file("logo.png.js", JS).expect(&[]);
    file("logo.png.js", JS)
        .out_of(&["ZIP"])
        .siblings(20)
        .expect(&[]);
    file("scan.pdf.js", JS)
        .out_of(&["ZIP"])
        .siblings(1)
        .expect(&["Double_Extension", "Single_Executable_In_Archive"]);
}

#[test]
fn a_padded_extension_is_found() {
    let blanks = " ".repeat(40);
    let double = file(&format!("invoice.pdf{blanks}.exe"), exe());
    double.expect(&["Double_Extension", "Padded_Extension"]);
    file(&format!("invoice{blanks}.exe"), exe()).expect(&["Padded_Extension"]);
    // Blanks that are none by name.
    file("invoice\u{2800}\u{3164}\u{a0}\u{3000}\u{200b}.scr", exe()).expect(&["Padded_Extension"]);
    file("my     invoice.exe", exe()).expect(&[]);
    file("invoice    .exe", exe()).expect(&[]);
    file(&format!("notes{blanks}.txt"), TEXT).expect(&[]);
    let shown = file(&format!("a{blanks}.exe"), exe()).shown();
    assert_eq!(shown, [format!("{blanks}.exe")]);
}

#[test]
fn a_turned_reading_direction_is_found() {
    let shown = file("/tmp/annual\u{202e}fdp.exe", exe()).shown();
    assert_eq!(shown, ["\u{202e}"]);
    for name in ["annual\u{202e}fdp.exe", "a\u{202d}b.txt", "\u{202e}gpj.scr"] {
        file(name, TEXT).expect(&["Name_Direction_Control"]);
    }
    // Isolates and embeddings count in names of programs only.
    file("a\u{2067}fdp.exe", TEXT).expect(&["Name_Direction_Control"]);
    file("a\u{202b}fdp", elf()).expect(&["Name_Direction_Control"]);
    file("\u{202b}דוח שנתי\u{202c}.docx", TEXT).expect(&[]);
    // Marks are ordinary everywhere.
    file("\u{200e}תקציר\u{200f}.txt", TEXT).expect(&[]);
    file("\u{200e}setup.exe", exe()).expect(&[]);
    // Only the file's own name counts.
    file("/home/\u{202e}x/setup.exe", exe()).expect(&[]);
}

#[test]
fn blanks_and_dots_at_the_end_are_found() {
    for name in ["a.exe ", "a.exe.", "a.exe . .", "a.dll\u{a0}", "a.bat   "] {
        file(name, TEXT).expect(&["Trailing_Blank_In_Name"]);
    }
    assert_eq!(file("x/a.exe . ", exe()).shown(), [" . "]);
    file("shell.php.", super::PHP).expect(&["Trailing_Blank_In_Name"]);
    file("tool ", elf()).expect(&["Trailing_Blank_In_Name"]);
    // An extension behind which there are blanks still promises something.
    file("report.pdf ", exe()).expect(&["Executable_Disguised", "Trailing_Blank_In_Name"]);
    for name in ["report.pdf ", "Letter to Example Inc.", "...", " ", "a."] {
        file(name, TEXT).expect(&[]);
    }
}
