//! Programs on the way they are sent to people.

use super::{BATCH, HTA, JS, POWERSHELL, TEXT, VBS, elf, exe, file, lnk, zip};

const IN_MAIL: &str = "Executable_In_Mail";
const ALONE: &str = "Single_Executable_In_Archive";

#[test]
fn programs_in_mail_are_found_at_any_depth() {
    for containers in [
        &["EMAIL"][..],
        &["MSG"],
        &["MBOX", "EMAIL"],
        &["EMAIL", "TNEF"],
        &["EMAIL", "ZIP"],
        &["EMAIL", "ZIP", "7ZIP"],
    ] {
        file("setup.exe", exe())
            .out_of(containers)
            .expect(&[IN_MAIL]);
    }
    for (name, content) in [
        ("a", &elf()[..]),
        ("a.lnk", &lnk()),
        ("a.hta", HTA),
        ("a.vbs", VBS),
        ("a.js", JS),
        ("a.bat", BATCH),
        ("a.ps1", POWERSHELL),
    ] {
        file(name, content).out_of(&["EMAIL"]).expect(&[IN_MAIL]);
    }
}

#[test]
fn other_attachments_and_bodies_are_not_meant() {
    for (name, content) in [
        ("minutes.txt", TEXT),
        ("files.zip", &zip()),
        // Bodies that read as a script.
        ("body.txt", POWERSHELL),
        ("body", BATCH),
        ("part 1", JS),
        ("fix.sh", b"#!/bin/sh\necho fixed\n"),
        ("fix.py", b"#!/usr/bin/env python3\nprint('fixed')\n"),
    ] {
        file(name, content).out_of(&["EMAIL"]).expect(&[]);
    }
    file("setup.exe", exe()).out_of(&["ZIP"]).expect(&[]);
    file("setup.exe", exe()).expect(&[]);
}

#[test]
fn a_lone_program_with_a_documents_name_is_found() {
    for name in [
        "Invoice_2026-11.exe",
        "Purchase Order 4711.exe",
        "rechnung.scr",
        "Scan0001.exe",
        "SWIFT-copy.com",
        "DHL_12345.exe",
        "x/Fattura n. 7.exe",
    ] {
        for archive in ["ZIP", "RAR", "7ZIP", "ISO", "ACE"] {
            file(name, exe())
                .out_of(&[archive])
                .siblings(1)
                .expect(&[ALONE]);
        }
    }
    file("invoice.lnk", lnk())
        .out_of(&["ZIP"])
        .siblings(1)
        .expect(&[ALONE]);
    file("invoice.js", JS)
        .out_of(&["ZIP"])
        .siblings(1)
        .expect(&[ALONE]);
    file("4711.pdf.exe", exe())
        .out_of(&["EMAIL", "ZIP"])
        .siblings(1)
        .expect(&["Double_Extension", IN_MAIL, ALONE]);
    file("4711.pdf", exe())
        .out_of(&["ZIP"])
        .siblings(1)
        .expect(&["Executable_Disguised", ALONE]);
}

#[test]
fn other_members_are_not_meant() {
    let invoice = || file("invoice.exe", exe());
    // Not alone, not known to be, not in an archive.
    invoice().out_of(&["ZIP"]).siblings(2).expect(&[]);
    invoice().out_of(&["ZIP"]).expect(&[]);
    invoice().out_of(&["MSI"]).siblings(1).expect(&[]);
    invoice().expect(&[]);
    for name in [
        "setup.exe",
        "Reporter.exe",
        "ordering-tool.exe",
        "scanner.exe",
        "upsert.exe",
    ] {
        file(name, exe()).out_of(&["ZIP"]).siblings(1).expect(&[]);
    }
    file("invoice.pdf", b"%PDF-1.7\n")
        .out_of(&["ZIP"])
        .siblings(1)
        .expect(&[]);
    file("invoice.txt", POWERSHELL)
        .out_of(&["ZIP"])
        .siblings(1)
        .expect(&[]);
}
