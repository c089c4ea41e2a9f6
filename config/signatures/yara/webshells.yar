/*
    Web shells: scripts that let a visitor of a web server run code on it.

    Score 80 and more is given where visitor input reaches an interpreter in
    one expression, which no sane application does; less where the parts only
    stand in the same small file.
*/

rule SQUALL_Webshell_PHP_Eval_Request : WEBSHELL PHP T1505_003 {
    meta:
        description = "PHP code evaluates a value sent by the visitor"
        author = "Squall project"
        date = "2026-11-24"
        score = 88
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "c5df737d-389a-5ad7-9f9c-630a4c9d52e4"
        falsepositive = "Code samples in security training material"
    strings:
        $eval = /\b(eval|assert)\s{0,4}\(\s{0,4}(["'][^"'\r\n]{0,8}["']\s{0,2}\.\s{0,2})?((@|\(string\)|stripslashes|base64_decode|urldecode|rawurldecode|gzinflate|gzuncompress|str_rot13|strrev|trim|hex2bin)\s{0,2}\(?\s{0,2}){0,4}@?\$_(GET|POST|REQUEST|COOKIE|SERVER)\b/ nocase
        $brace = /\beval\s{0,4}\(\s{0,4}\$\{["']_(GET|POST|REQUEST|COOKIE)["']\}/ nocase
    condition:
        filesize < 5MB and any of them
}

rule SQUALL_Webshell_PHP_Eval_Body : WEBSHELL PHP T1505_003 {
    meta:
        description = "Small PHP file evaluates the body of the request"
        author = "Squall project"
        date = "2026-11-24"
        score = 84
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "7f979c05-a3be-5322-b913-a3f3e83ce263"
        falsepositive = "Development servers that run code of their own console"
    strings:
        $raw = /\b(eval|assert)\s{0,4}\([^;\r\n]{0,40}file_get_contents\s{0,4}\(\s{0,4}["']php:\/\/input/ nocase
    condition:
        // Development servers have the same call in larger files.
        filesize < 4KB and $raw
}

rule SQUALL_Webshell_PHP_Exec_Request : WEBSHELL PHP T1505_003 T1059 {
    meta:
        description = "PHP code hands a value sent by the visitor to a system command"
        author = "Squall project"
        date = "2026-11-24"
        score = 85
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "ba27dc52-aed3-5fcc-9e98-ec87c26ae8fd"
        falsepositive = "Code samples in security training material"
    strings:
        $call = /\b(system|exec|shell_exec|passthru|popen|proc_open|pcntl_exec)\s{0,4}\(\s{0,4}(["'][^"'\r\n]{0,30}["']\s{0,2}\.\s{0,2})?((base64_decode|stripslashes|urldecode|trim|hex2bin|strrev)\s{0,2}\(\s{0,2}){0,3}@?\$_(GET|POST|REQUEST|COOKIE|SERVER)\b/ nocase
        $tick = /(echo|print|=)\s{0,4}`\s{0,4}(\{?\$_(GET|POST|REQUEST|COOKIE)|\$\{_(GET|POST|REQUEST|COOKIE))/ nocase
    condition:
        filesize < 5MB and any of them
}

rule SQUALL_Webshell_PHP_Dynamic_Call : WEBSHELL PHP T1505_003 {
    meta:
        description = "PHP code calls a function whose name the visitor sends"
        author = "Squall project"
        date = "2026-11-24"
        score = 85
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "9e3efe9d-a115-5429-a247-a14fe77da3fb"
    strings:
        $direct = /\$_(GET|POST|REQUEST|COOKIE)\s{0,2}\[[^\]\r\n]{1,32}\]\s{0,2}\(\s{0,2}@?\$_(GET|POST|REQUEST|COOKIE)\b/ nocase
        $variable = /\$\{?\$_{1,8}\}?\s{0,2}[\[{][^\]}\r\n]{1,20}[\]}]\s{0,2}\(\s{0,2}@?\$\{?\$_{1,8}\}?\s{0,2}[\[{]/
    condition:
        filesize < 5MB and any of them
}

rule SQUALL_Webshell_PHP_Request_Variable : WEBSHELL PHP T1505_003 T1059 {
    meta:
        description = "Very small PHP file runs a command, code or function that a visitor sends, by way of a variable"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "e5ed3731-de59-571e-b6ce-64fa7d220f41"
        falsepositive = "Small tools for tests on a closed network"
    strings:
        $php = "<?php" nocase
        $short = "<?="
        $take = /\$\w{1,20}\s{0,4}=\s{0,4}[^;$\r\n]{0,40}\$_(GET|POST|REQUEST|COOKIE)\s{0,2}\[/ nocase
        $run = /\b(system|exec|shell_exec|passthru|popen|proc_open|pcntl_exec|eval|assert)\s{0,4}\(\s{0,4}["']?\$[a-z]\w{0,20}[\s)."',]/ nocase
        $call = /\$[a-z]\w{0,20}\s{0,2}\(\s{0,2}\$[a-z]\w{0,20}\s{0,2}\)/ nocase
        $safe = /escapeshell(arg|cmd)/ nocase
    condition:
        filesize < 1KB and ($php or $short) and $take and ($run or (#take > 1 and $call)) and not $safe
}

rule SQUALL_Webshell_PHP_File_Writer : WEBSHELL PHP T1505_003 T1105 {
    meta:
        description = "PHP code stores what the visitor sends under a name the visitor sends"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "348552ad-1444-57ee-8d05-921f6f7f5f74"
    strings:
        $write = /\bfile_put_contents\s{0,4}\(\s{0,4}[^;,\r\n]{0,40}\$_(GET|POST|REQUEST|COOKIE)\s{0,2}\[[^;,\r\n]{1,60},[^;\r\n]{0,60}(\$_(GET|POST|REQUEST|COOKIE)|php:\/\/input)/ nocase
        $open = /\bfwrite\s{0,4}\(\s{0,4}fopen\s{0,4}\(\s{0,4}[^;,\r\n]{0,40}\$_(GET|POST|REQUEST|COOKIE)[^;\r\n]{1,80}\$_(GET|POST|REQUEST|COOKIE)/ nocase
    condition:
        filesize < 1MB and any of them
}

rule SQUALL_Webshell_PHP_Callback : WEBSHELL PHP T1505_003 {
    meta:
        description = "PHP callback function given code or a function name from the visitor"
        author = "Squall project"
        date = "2026-11-24"
        score = 82
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "3b97774d-e800-59b3-b35c-22ca331b127a"
    strings:
        $name = /\b(call_user_func|call_user_func_array|array_map|array_filter|array_walk|usort|uasort|uksort|register_shutdown_function|ob_start|forward_static_call)\s{0,4}\([^;\r\n]{0,60}@?\$_(GET|POST|REQUEST|COOKIE)\s{0,2}\[[^\]\r\n]{1,32}\]\s{0,2},\s{0,2}(array\s{0,2}\(|\[)?\s{0,2}@?\$_(GET|POST|REQUEST|COOKIE)/ nocase
        $assert = /\b(call_user_func|call_user_func_array|array_map|array_filter|array_walk|usort|uasort|uksort)\s{0,4}\([^;\r\n]{0,40}["'](assert|system|exec|passthru|shell_exec|eval)["'][^;\r\n]{0,40}\$_(GET|POST|REQUEST|COOKIE)/ nocase
        $create = /\bcreate_function\s{0,4}\([^;\r\n]{0,60}\$_(GET|POST|REQUEST|COOKIE)/ nocase
        $preg = /\bpreg_replace\s{0,4}\(\s{0,2}["']([\/#~|])[^"'\r\n]{0,40}[\/#~|][imsux]{0,3}e[imsux]{0,3}["']\s{0,2},[^;\r\n]{0,80}\$_(GET|POST|REQUEST|COOKIE)/ nocase
    condition:
        filesize < 5MB and any of them
}

rule SQUALL_Webshell_PHP_Decode_Eval : WEBSHELL PHP OBFUSCATION T1505_003 T1027 {
    meta:
        description = "PHP code evaluates a literal that it first decodes or decompresses"
        author = "Squall project"
        date = "2026-11-24"
        score = 75
        reference = "https://attack.mitre.org/techniques/T1027/"
        id = "a0bfb0e6-37e0-55a4-a5a0-074c1d9c418b"
        falsepositive = "Commercial PHP code protected by its vendor"
    strings:
        $nested = /\b(eval|assert)\s{0,4}\(\s{0,4}(["']\?>["']\s{0,2}\.\s{0,2})?@?(gzinflate|gzuncompress|gzdecode|str_rot13|strrev|base64_decode|convert_uudecode|hex2bin|rawurldecode)\s{0,4}\(\s{0,4}(@?(gzinflate|gzuncompress|gzdecode|str_rot13|strrev|base64_decode|convert_uudecode|hex2bin|rawurldecode)\s{0,4}\(\s{0,4}){0,5}["'][A-Za-z0-9+\/=%\\]{24}/ nocase
    condition:
        filesize < 5MB and $nested
}

rule SQUALL_Webshell_PHP_Hidden_Function_Name : WEBSHELL PHP OBFUSCATION T1505_003 T1027 {
    meta:
        description = "PHP code spells the name of a dangerous function in pieces or in codes"
        author = "Squall project"
        date = "2026-11-24"
        score = 72
        reference = "https://attack.mitre.org/techniques/T1027/"
        id = "9d863f2e-4a26-560d-9640-543797f13a6b"
    strings:
        $php = "<?php" nocase
        $short = "<?="
        $hex_eval = "\\x65\\x76\\x61\\x6c" nocase
        $hex_system = "\\x73\\x79\\x73\\x74\\x65\\x6d" nocase
        $hex_assert = "\\x61\\x73\\x73\\x65\\x72\\x74" nocase
        $hex_base64 = "\\x62\\x61\\x73\\x65\\x36\\x34\\x5f" nocase
        $chr_eval = /chr\(101\)\s?\.\s?chr\(118\)\s?\.\s?chr\(97\)\s?\.\s?chr\(108\)/ nocase
        $chr_system = /chr\(115\)\s?\.\s?chr\(121\)\s?\.\s?chr\(115\)\s?\.\s?chr\(116\)/ nocase
        $chr_assert = /chr\(97\)\s?\.\s?chr\(115\)\s?\.\s?chr\(115\)\s?\.\s?chr\(101\)/ nocase
        $parts = /["'](a|as|ass|sy|sys|ba|bas|base)["']\s?\.\s?["'][a-z]{1,4}["']\s?\.\s?["'](t|rt|ert|m|em|ode|code|de)["']/
        $comment = /\b(eval|assert|system|passthru|shell_exec)\s{0,4}\/\*[^*\r\n]{0,40}\*\/\s{0,4}\(/ nocase
        $reversed = /strrev\s?\(\s?["'](metsys|tressa|lave|edoced_46esab|cexe_llehs|urhtssap)["']/ nocase
    condition:
        filesize < 1MB and ($php or $short) and any of ($hex_*, $chr_*, $parts, $comment, $reversed)
}

rule SQUALL_Webshell_PHP_Uploader : WEBSHELL PHP T1505_003 T1105 {
    meta:
        description = "Small PHP page that stores any uploaded file under the name the visitor chose"
        author = "Squall project"
        date = "2026-11-24"
        score = 65
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "d843cda7-b1db-5609-b7d3-4e2dc20f65cb"
        falsepositive = "Minimal upload examples in tutorials"
    strings:
        $php = "<?php" nocase
        $move = /(move_uploaded_file|copy)\s{0,4}\(\s{0,4}\$_FILES\s{0,2}\[[^\]\r\n]{1,32}\]\s{0,2}\[\s{0,2}["']tmp_name["']\s{0,2}\]\s{0,2},[^;\r\n]{0,80}\$_(FILES|POST|GET|REQUEST)/ nocase
        $form = "multipart/form-data" nocase
        $echo = /(echo|print|die)\b/ nocase
        $check1 = "pathinfo(" nocase
        $check2 = "PATHINFO_EXTENSION" nocase
        $check3 = "in_array(" nocase
        $check4 = "finfo_" nocase
        $check5 = "is_authenticated" nocase
        $check6 = "getimagesize(" nocase
        $check7 = "preg_match(" nocase
    condition:
        filesize < 8KB and $php and $move and $form and $echo and none of ($check*)
}

rule SQUALL_Webshell_PHP_Control_Panel : WEBSHELL PHP T1505_003 T1083 {
    meta:
        description = "PHP page with the functions of a web shell's control panel: commands, files, accounts of the server"
        author = "Squall project"
        date = "2026-11-24"
        score = 75
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "26b0beeb-ee03-5d06-8a79-0192d639b960"
        falsepositive = "Server management panels and file managers written in PHP"
    strings:
        $php = "<?php" nocase
        $request = /\$_(GET|POST|REQUEST|COOKIE)\s{0,2}\[/ nocase
        $run1 = /\bshell_exec\s{0,4}\(\s{0,4}\$/ nocase
        $run2 = /\bpassthru\s{0,4}\(\s{0,4}\$/ nocase
        $run3 = /\bproc_open\s{0,4}\(\s{0,4}\$/ nocase
        $run4 = /\bpopen\s{0,4}\(\s{0,4}\$/ nocase
        $run5 = /\bsystem\s{0,4}\(\s{0,4}\$/ nocase
        $look1 = "disable_functions" nocase
        $look2 = "safe_mode" nocase
        $look3 = "open_basedir" nocase
        $look4 = "php_uname(" nocase
        $look5 = "posix_getpwuid" nocase
        $look6 = "/etc/passwd"
        $look7 = "disk_free_space" nocase
        $file1 = "fileperms(" nocase
        $file2 = "chmod(" nocase
        $file3 = "move_uploaded_file(" nocase
        $file4 = "unlink(" nocase
    condition:
        filesize < 600KB and $php and $request and 2 of ($run*) and 3 of ($look*) and 2 of ($file*)
}

rule SQUALL_Webshell_PHP_In_Image : WEBSHELL PHP DISGUISE T1505_003 T1027_003 {
    meta:
        description = "Picture file that holds PHP code able to run commands"
        author = "Squall project"
        date = "2026-11-24"
        score = 82
        reference = "https://attack.mitre.org/techniques/T1027/003/"
        id = "1c5fbbbe-b1e4-5f09-b903-5d90851b4988"
    strings:
        $php = /<\?(php\s|=)[^\x00]{0,300}\b(eval|assert|system|exec|shell_exec|passthru|base64_decode|include)\s{0,4}\(/ nocase
    condition:
        filesize < 20MB and $php
        and (uint32be(0) == 0x47494638 or uint32be(0) == 0x89504E47 or uint16be(0) == 0xFFD8 or uint16be(0) == 0x424D)
}

rule SQUALL_Webshell_Apache_Override : WEBSHELL T1505_003 {
    meta:
        description = "Web server override file makes pictures or texts run as code"
        author = "Squall project"
        date = "2026-11-24"
        score = 65
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "57888076-8c0b-50a0-881a-1f52684c5251"
        falsepositive = "Unusual but intended handler settings"
    strings:
        $type = /\b(AddType|AddHandler|SetHandler)\s{1,4}["']?(application\/x-httpd-php[0-9]{0,2}|php[0-9]{0,2}-script|cgi-script)["']?\s{1,4}\.(jpe?g|png|gif|ico|txt|css|log|bmp|svg|xml)\b/ nocase
        $prepend = /auto_(prepend|append)_file\s{0,4}[= ]\s{0,4}["']?[^\s"']{1,120}\.(jpe?g|png|gif|ico|txt|log|bmp|css)\b/ nocase
        $input = /auto_(prepend|append)_file\s{0,4}[= ]\s{0,4}["']?(php:\/\/input|data:)/ nocase
    condition:
        filesize < 64KB and any of them
}

rule SQUALL_Webshell_ASP_Eval_Request : WEBSHELL ASP T1505_003 {
    meta:
        description = "ASP code evaluates a value sent by the visitor"
        author = "Squall project"
        date = "2026-11-24"
        score = 88
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "9120e851-a7d3-5638-90fd-f1aa0035c2e6"
    strings:
        $eval = /\b(eval|execute|executeglobal)(\s{1,4}|\s{0,4}\(\s{0,4})request\s{0,4}(\.\s{0,2}(form|querystring|cookies|item)\s{0,2})?[\(\[]/ nocase
        $tag = "<%"
        $script = "runat" nocase
    condition:
        filesize < 2MB and $eval and ($tag or $script)
}

rule SQUALL_Webshell_ASP_Shell_Exec : WEBSHELL ASP T1505_003 T1059 {
    meta:
        description = "ASP page runs a program with a value sent by the visitor"
        author = "Squall project"
        date = "2026-11-24"
        score = 80
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "a906ef3d-9774-589e-80c8-638ca2f3437a"
        falsepositive = "Administration pages of old intranet servers"
    strings:
        $tag = "<%"
        $object = /createobject\s{0,4}\(\s{0,4}["'](wscript\.shell|shell\.application)["']/ nocase
        $run = /\.(exec|run|shellexecute)\s{0,4}\(?\s{0,4}[^\r\n]{0,80}(cmd|command|request|comspec)/ nocase
        $request = /\brequest\s{0,4}(\.\s{0,2}(form|querystring|servervariables)\s{0,2})?\(/ nocase
    condition:
        filesize < 1MB and all of them
}

rule SQUALL_Webshell_ASPX_JScript_Eval : WEBSHELL ASPX T1505_003 {
    meta:
        description = "ASP.NET page in JScript evaluates a value sent by the visitor"
        author = "Squall project"
        date = "2026-11-24"
        score = 92
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "52a66773-0c6c-51bf-bcf7-362571b0416c"
    strings:
        $language = /language\s{0,4}=\s{0,4}["']?jscript/ nocase
        $eval = /\beval\s{0,4}\([^;\r\n]{0,80}request\s{0,4}(\.\s{0,2}(item|form|querystring|headers|cookies)\s{0,2})?[\[\(][^;\r\n]{0,80}["']unsafe["']/ nocase
        $decoded = /\beval\s{0,4}\(\s{0,4}(system\.text\.)?encoding\.[^;\r\n]{0,60}frombase64string\s{0,4}\([^;\r\n]{0,40}request/ nocase
    condition:
        filesize < 1MB and ($eval or ($language and $decoded))
}

rule SQUALL_Webshell_ASPX_Process_Start : WEBSHELL ASPX T1505_003 T1059_003 {
    meta:
        description = "ASP.NET page starts a command interpreter with a value sent by the visitor"
        author = "Squall project"
        date = "2026-11-24"
        score = 82
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "308aa1b3-93a7-54f7-a83d-b7f5becd281f"
        falsepositive = "Administration pages of intranet servers"
    strings:
        $page = /<%@\s{0,4}(page|webhandler|webservice)\s/ nocase
        $start = /\b(new\s{1,4}(System\.Diagnostics\.)?ProcessStartInfo|Process\.Start)\s{0,4}\(/ nocase
        $shell = /(cmd|powershell)(\.exe)?["']|["']\/c\s/ nocase
        $request = /\bRequest\s{0,2}(\.\s{0,2}(Form|QueryString|Params|Headers|Item)\s{0,2})?[\[\(]|\.Text\s{0,2};|\bRequest\.InputStream/ nocase
        $output = /StandardOutput|UseShellExecute/ nocase
    condition:
        filesize < 1MB and all of them
}

rule SQUALL_Webshell_ASPX_Assembly_Load : WEBSHELL ASPX T1505_003 T1620 {
    meta:
        description = "ASP.NET page loads and runs a program sent by the visitor"
        author = "Squall project"
        date = "2026-11-24"
        score = 85
        reference = "https://attack.mitre.org/techniques/T1620/"
        id = "349fa8d3-2353-5db3-84f8-1238afaac901"
    strings:
        $page = /<%@\s{0,4}(page|webhandler|webservice)\s/ nocase
        $load = /Assembly\s{0,2}(\.|\)\s{0,2}\.)\s{0,2}Load\s{0,2}\(|GetMethod\s{0,2}\(\s{0,2}["']Load["']/ nocase
        $source1 = "Request.BinaryRead" nocase
        $source2 = /Request\s{0,2}(\.\s{0,2}(Form|QueryString|Headers|Item|Cookies)\s{0,2})?\[/ nocase
        $source3 = "Request.InputStream" nocase
        $run1 = "CreateInstance(" nocase
        $run2 = ".Invoke(" nocase
        $run3 = "EntryPoint" nocase
    condition:
        filesize < 1MB and $page and $load and any of ($source*) and any of ($run*)
}

rule SQUALL_Webshell_JSP_Runtime_Exec : WEBSHELL JSP T1505_003 T1059 {
    meta:
        description = "JSP page runs a command sent by the visitor"
        author = "Squall project"
        date = "2026-11-24"
        score = 85
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "28e646b5-500d-5220-8fcb-eb3d8dbd20ea"
        falsepositive = "Administration pages of old application servers"
    strings:
        $tag = "<%"
        $xml = "<jsp:scriptlet" nocase
        $direct = /(getRuntime\s{0,2}\(\s{0,2}\)\s{0,2}\.\s{0,2}exec|new\s{1,4}ProcessBuilder)\s{0,2}\([^;]{0,120}request\s{0,2}\.\s{0,2}getParameter/
        $exec = /getRuntime\s{0,2}\(\s{0,2}\)\s{0,2}\.\s{0,2}exec\s{0,2}\(\s{0,2}[a-z_$]/ nocase
        $builder = /new\s{1,4}(java\.lang\.)?ProcessBuilder\s{0,2}\(/
        $request = /request\s{0,2}\.\s{0,2}get(Parameter|Header|InputStream)\s{0,2}\(/
        $output = /\.getInputStream\s{0,2}\(\s{0,2}\)/
    condition:
        filesize < 1MB and ($tag or $xml) and ($direct or (($exec or $builder) and $request and $output))
}

rule SQUALL_Webshell_JSP_Class_Loader : WEBSHELL JSP T1505_003 T1620 {
    meta:
        description = "JSP page defines and runs a Java class sent by the visitor"
        author = "Squall project"
        date = "2026-11-24"
        score = 85
        reference = "https://attack.mitre.org/techniques/T1620/"
        id = "c076aeba-b2bd-54fb-b4bd-2d4591b1716f"
    strings:
        $tag = "<%"
        $xml = "<jsp:" nocase
        $loader = /extends\s{1,4}(java\.lang\.)?ClassLoader/
        $define = /\bdefineClass\b/
        $create = /\.\s{0,2}(newInstance|invoke)\s{0,2}\(/
        $request1 = /request\s{0,2}\.\s{0,2}get(Parameter|Reader|InputStream|Header)\s{0,2}\(/
        $request2 = "pageContext"
    condition:
        filesize < 1MB and ($tag or $xml) and ($loader or $define) and $define and $create and any of ($request*)
}

rule SQUALL_Webshell_JSP_Script_Engine : WEBSHELL JSP T1505_003 {
    meta:
        description = "JSP page evaluates a script or expression sent by the visitor"
        author = "Squall project"
        date = "2026-11-24"
        score = 85
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "abe8743d-d649-5495-8312-ebd5f3511c9a"
    strings:
        $engine = /getEngineBy(Name|Extension|MimeType)\s{0,2}\([^;\r\n]{0,40}\)\s{0,2}\.\s{0,2}eval\s{0,2}\([^;\r\n]{0,60}request\s{0,2}\.\s{0,2}get(Parameter|Header)/
        $expression = /\$\{[^}\r\n]{0,200}getEngineBy(Name|Extension)\s{0,2}\([^}\r\n]{0,60}\.eval\s{0,2}\(\s{0,2}(pageContext\.request|param)\b/
    condition:
        filesize < 1MB and any of them
}

rule SQUALL_Webshell_JSP_File_Writer : WEBSHELL JSP T1505_003 T1105 {
    meta:
        description = "JSP page stores what the visitor sends under a name the visitor sends"
        author = "Squall project"
        date = "2026-11-24"
        score = 80
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "67bff329-e5a0-5c2a-b89a-1a566d8d361b"
    strings:
        $tag = "<%"
        $write = /new\s{1,4}(java\.io\.)?(FileOutputStream|FileWriter|RandomAccessFile)\s{0,2}\([^;\r\n]{0,80}request\s{0,2}\.\s{0,2}getParameter\s{0,2}\([^;\r\n]{1,120}request\s{0,2}\.\s{0,2}getParameter/
    condition:
        filesize < 256KB and all of them
}

rule SQUALL_Webshell_CGI_Command : WEBSHELL PERL PYTHON T1505_003 {
    meta:
        description = "CGI script runs a command sent by the visitor"
        author = "Squall project"
        date = "2026-11-24"
        score = 80
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "4644ed71-72b3-5b3e-81ef-4a7185f91964"
        falsepositive = "Old CGI scripts with the very defect"
    strings:
        $head = /Content-type:\s{0,4}text\/(html|plain)/ nocase
        $perl = /(system|exec|qx|open)\s{0,4}[\(\{\/"][^;\r\n]{0,60}\bparam\s{0,4}\(\s{0,4}["'](cmd|command|exec|c|run)["']/ nocase
        $perl_tick = /`\$?\{?[^`\r\n]{0,40}param\s{0,4}\(\s{0,4}["'](cmd|command|exec|c|run)["']/ nocase
        $python = /(os\.(system|popen)|subprocess\.(Popen|run|call|check_output|getoutput))\s{0,4}\(\s{0,4}(\w{1,20}\s{0,2}\(\s{0,2})?form(\.getvalue\s{0,2}\(|\s{0,2}\[)/
        $bash = /(eval|bash -c|sh -c)\s{1,4}["']?\$\{?(QUERY_STRING|HTTP_[A-Z_]{2,20})/
    condition:
        filesize < 256KB and $head and any of ($perl*, $python, $bash)
}

rule SQUALL_Webshell_ColdFusion_Execute : WEBSHELL CFM T1505_003 T1059 {
    meta:
        description = "ColdFusion page runs a program with a value sent by the visitor"
        author = "Squall project"
        date = "2026-11-24"
        score = 82
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "61ff7933-edea-5124-8385-9d1de2c3d2c4"
    strings:
        $execute = /<cfexecute\s[^>]{0,200}(name|arguments)\s{0,2}=\s{0,2}["'][^"'>]{0,80}#\s{0,2}(url|form|cookie)\s{0,2}[\.\[]/ nocase
    condition:
        filesize < 1MB and $execute
}
