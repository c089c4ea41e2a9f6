/*
    Office documents: macros that run by themselves, and the ways to run code
    without a macro.

    Macro source is compressed inside a document, but the compression keeps the
    first use of each word readable, which is what these rules look for; the
    same rules match macro source in text form.
*/

rule SQUALL_Macro_AutoExec_Download : MACRO OFFICE T1204_002 T1105 {
    meta:
        description = "Macro that runs when the document is opened and downloads something"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1204/002/"
        id = "3d257f0b-40fe-5232-8069-da32dcb3627f"
        falsepositive = "Documents of organisations that fetch data by macro"
    strings:
        $auto = /\b(Auto_?Open|Auto_?Exec|Auto_?Close|Document_?Open|Document_Close|Document_New|Workbook_?Open|Workbook_BeforeClose|Workbook_Activate)\b/ nocase
        $http1 = "URLDownloadToFile" nocase
        $http2 = /(msxml2\.(server)?xmlhttp|microsoft\.xmlhttp|winhttp\.winhttprequest)/ nocase
        $http3 = /\b(DownloadFile|DownloadString)\b/ nocase
        $http4 = /\b(bitsadmin|certutil)\b[^\r\n]{0,80}https?:/ nocase
        $http5 = /\bcurl\s[^\r\n]{0,60}https?:\/\/[^\r\n]{0,120}\s-o\b/ nocase
        $act1 = "adodb.stream" nocase
        $act2 = /\bShell(Execute)?[A-Z]?\b/ nocase
        $act3 = "wscript.shell" nocase
        $act4 = "shell.application" nocase
        $act5 = "savetofile" nocase
        $vba1 = "Attribute VB_Name" nocase
        $vba2 = { 41 74 74 72 69 62 75 74 00 65 20 56 42 5F } // its compressed form
        $vba3 = /\bSub\s{1,4}(Auto_?Open|Auto_?Exec|Auto_?Close|Document_?Open|Document_Close|Document_New|Workbook_?Open|Workbook_BeforeClose|Workbook_Activate)\s{0,2}\(/ nocase
    condition:
        filesize < 50MB and uint16(0) != 0x5A4D and uint32be(0) != 0x7F454C46
        and $auto and any of ($http*) and any of ($act*) and any of ($vba*)
}

rule SQUALL_Macro_AutoExec_Shell : MACRO OFFICE T1204_002 T1059_005 {
    meta:
        description = "Macro that runs when the document is opened and starts a command interpreter"
        author = "Squall project"
        date = "2026-11-24"
        score = 72
        reference = "https://attack.mitre.org/techniques/T1204/002/"
        id = "e9f4e9ac-bb5c-57ff-aee0-5d65598beb54"
        falsepositive = "Documents of organisations that start programs by macro"
    strings:
        $auto = /\b(Auto_?Open|Auto_?Exec|Auto_?Close|Document_?Open|Document_Close|Document_New|Workbook_?Open|Workbook_BeforeClose|Workbook_Activate)\b/ nocase
        $start1 = /\bShell(Execute)?\b/ nocase
        $start2 = "wscript.shell" nocase
        $start3 = "winmgmts:" nocase
        $start4 = "shell.application" nocase
        $start5 = "Win32_Process" nocase
        $target1 = /\bpowershell(\.exe)?["'\s]/ nocase
        $target2 = /\bcmd(\.exe)?\s{1,4}\/[ckv]\b/ nocase
        $target3 = /\bmshta(\.exe)?["'\s]/ nocase
        $target4 = /\b(rundll32|regsvr32)(\.exe)?["'\s]/ nocase
        $target5 = /\b[wc]script(\.exe)?\s{1,4}["']?[%\w]/ nocase
        $vba1 = "Attribute VB_Name" nocase
        $vba2 = { 41 74 74 72 69 62 75 74 00 65 20 56 42 5F } // its compressed form
        $vba3 = /\bSub\s{1,4}(Auto_?Open|Auto_?Exec|Auto_?Close|Document_?Open|Document_Close|Document_New|Workbook_?Open|Workbook_BeforeClose|Workbook_Activate)\s{0,2}\(/ nocase
    condition:
        filesize < 50MB and uint16(0) != 0x5A4D and uint32be(0) != 0x7F454C46
        and $auto and any of ($start*) and any of ($target*) and any of ($vba*)
}

rule SQUALL_Macro_Memory_Injection : MACRO OFFICE INJECTION T1055 T1059_005 {
    meta:
        description = "Macro that copies machine code into memory and starts it"
        author = "Squall project"
        date = "2026-11-24"
        score = 84
        reference = "https://attack.mitre.org/techniques/T1055/"
        id = "1513c5c6-9a29-5952-845a-d1953677d80b"
    strings:
        $declare = /\bDeclare\s{1,4}(PtrSafe\s{1,4})?(Function|Sub)\s/ nocase
        $alloc1 = /\bVirtualAlloc(Ex)?\b/ nocase
        $alloc2 = /\bHeapCreate\b/ nocase
        $alloc3 = /\bVirtualProtect\b/ nocase
        $copy1 = /\bRtlMoveMemory\b/ nocase
        $copy2 = /\bWriteProcessMemory\b/ nocase
        $start1 = /\bCreateThread\b/ nocase
        $start2 = /\bCreateRemoteThread\b/ nocase
        $start3 = /\bEnum(SystemLocales|Windows|ChildWindows|DateFormats)[AW]?\b/ nocase
        $start4 = /\bQueueUserAPC\b/ nocase
        $start5 = /\bCallWindowProc[AW]?\b/ nocase
    condition:
        filesize < 20MB and uint16(0) != 0x5A4D and uint32be(0) != 0x7F454C46
        and $declare and any of ($alloc*) and any of ($copy*) and any of ($start*)
}

rule SQUALL_Macro_Hidden_Excel4_Sheet : MACRO OFFICE T1059 T1564 {
    meta:
        description = "Workbook with a hidden sheet of Excel 4 macros"
        author = "Squall project"
        date = "2026-11-24"
        score = 62
        reference = "https://attack.mitre.org/techniques/T1564/"
        id = "19d9ba32-6f16-5b44-84a1-24d8de83c9bc"
        falsepositive = "Old workbooks of organisations"
    strings:
        // BIFF8 BOUNDSHEET record: offset, hidden or very hidden, type macro sheet.
        $hidden_sheet = { 85 00 ( 0C | 0D | 0E | 0F | 1? | 2? ) 00 ?? ?? ?? 00 ( 01 | 02 ) 01 ?? ( 00 | 01 ) }
        $ooxml_sheet = /<sheet\s[^>]{0,200}state\s{0,2}=\s{0,2}["'](veryHidden|hidden)["'][^>]{0,200}/ nocase
        $ooxml_macro = /xl\/macrosheets\/|<xm:macrosheet|xlMacrosheet/ nocase
    condition:
        filesize < 50MB and ((uint32be(0) == 0xD0CF11E0 and $hidden_sheet) or ($ooxml_sheet and $ooxml_macro))
}

rule SQUALL_Macro_Excel4_Commands : MACRO OFFICE T1059 T1105 {
    meta:
        description = "Excel 4 macro formulas that download a file or start a program"
        author = "Squall project"
        date = "2026-11-24"
        score = 74
        reference = "https://attack.mitre.org/techniques/T1059/"
        id = "d8aed5b0-c92f-56ce-9f7a-3a8aa20f3c4d"
    strings:
        $download = /=?\bCALL\s{0,2}\(\s{0,2}["'](urlmon|shell32|kernel32|wininet)(\.dll)?["']/ nocase
        $register = /=?\bREGISTER\s{0,2}\(\s{0,2}["'](urlmon|shell32|kernel32|wininet)(\.dll)?["']/ nocase
        $exec = /[=>]\s{0,2}EXEC\s{0,2}\(\s{0,2}(&quot;|["'])[^\r\n]{0,60}(cmd|powershell|mshta|rundll32|regsvr32|wmic|certutil|\.exe)/ nocase
        $halt = /[=>]\s{0,2}(HALT|RETURN|GOTO|FORMULA|CLOSE)\s{0,2}\(/ nocase
    condition:
        filesize < 20MB and uint16(0) != 0x5A4D and uint32be(0) != 0x7F454C46
        and ($exec or (($download or $register) and $halt))
}

rule SQUALL_Macro_Remote_Template : OFFICE T1221 {
    meta:
        description = "Office document that loads its template from a web server or a bare network address"
        author = "Squall project"
        date = "2026-11-24"
        score = 64
        reference = "https://attack.mitre.org/techniques/T1221/"
        id = "ba09340f-7ba6-5b86-868b-9e648ea1454c"
        falsepositive = "Documents made from a template on the organisation's web server"
    strings:
        $type = /relationships\/(attachedTemplate|frame|subDocument)["']/ nocase
        $address = /Target\s{0,2}=\s{0,2}["'](https?:\/\/[^"'\r\n]{4,300}\.(dotm?|dotx|rtf|docm|php|asp|aspx|png|jpg|html?)|(https?:|file:)?[\\\/]{2,5}\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}[:\\\/@])/ nocase
        $external = /TargetMode\s{0,2}=\s{0,2}["']External["']/ nocase
    condition:
        filesize < 1MB and all of them
}

rule SQUALL_Macro_Remote_Object : OFFICE T1203 T1221 {
    meta:
        description = "Office document with an object that is loaded from a web page when the document is opened"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1203/"
        id = "21af91c9-5090-5d45-ad31-39fe633e2a33"
    strings:
        $object = /relationships\/oleObject["']/ nocase
        $page = /Target\s{0,2}=\s{0,2}["'](mhtml:)?https?:\/\/[^"'\r\n]{4,300}(!x-usc:|\.html?!|!["'])/ nocase
        $external = /TargetMode\s{0,2}=\s{0,2}["']External["']/ nocase
    condition:
        filesize < 1MB and all of them
}

rule SQUALL_Macro_DDE_Command : OFFICE T1559_002 {
    meta:
        description = "Document or table field that starts a command interpreter through dynamic data exchange"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1559/002/"
        id = "55d66a57-920e-5350-a56f-2c7c655945dc"
    strings:
        $field = /\bDDE(AUTO)?\s{1,4}(&quot;|["'])?[^\r\n]{0,80}(cmd|powershell|mshta|rundll32|regsvr32|certutil|bitsadmin)(\.exe)?\b/ nocase ascii wide
        $table = /[=+\-@][^\r\n,;]{0,20}\b(cmd|powershell|mshta|rundll32|regsvr32|msexcel)\s{0,2}\|\s{0,2}['"]\s{0,2}[^\r\n]{1,200}['"]\s{0,2}!/ nocase ascii wide
        $instruction = /<w:instrText[^>]{0,60}>\s{0,4}DDE(AUTO)?\b/ nocase
        $program = /<w:instrText[^>]{0,60}>[^<]{0,120}(cmd(\.exe)?\s|powershell|mshta|rundll32)/ nocase
    condition:
        filesize < 50MB and ($field or $table or ($instruction and $program))
}

rule SQUALL_Macro_Embedded_Program : OFFICE T1204_002 T1027_009 {
    meta:
        description = "Office document with an embedded file of a type that runs when it is clicked"
        author = "Squall project"
        date = "2026-11-24"
        score = 70
        reference = "https://attack.mitre.org/techniques/T1204/002/"
        id = "c8f07577-8b53-59d9-9b8f-971955c54e91"
        falsepositive = "Documents of support desks with attached scripts"
    strings:
        // Stream of an embedded file: a name, then the path it came from.
        $stream = "Ole10Native" ascii wide nocase
        $name = /\x02\x00[\w \-.()]{1,80}\.(exe|scr|pif|js|jse|vbs|vbe|wsf|hta|ps1|bat|cmd|lnk|jar|cpl)\x00/ nocase
        $path = /[a-z]:\\[^\x00\r\n]{1,200}\.(exe|scr|pif|js|jse|vbs|vbe|wsf|hta|ps1|bat|cmd|lnk|jar|cpl)\x00/ nocase
    condition:
        filesize < 50MB and uint32be(0) == 0xD0CF11E0 and $stream and ($name or #path > 1)
}
