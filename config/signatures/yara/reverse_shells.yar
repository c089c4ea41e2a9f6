/*
    Reverse shells: a shell of this machine handed to a listener elsewhere.
*/

rule SQUALL_ReverseShell_Bash_Network_File : REVERSESHELL LINUX T1059_004 {
    meta:
        description = "Shell connected to a network address through the special files of bash"
        author = "Squall project"
        date = "2026-11-24"
        score = 82
        reference = "https://attack.mitre.org/techniques/T1059/004/"
        id = "95f58836-deb8-591a-8c2a-84785b685f70"
        falsepositive = "Training material"
    strings:
        $interactive = /\b(ba|da|z|k)?sh\s{1,4}-[il]{1,2}\s{0,4}[^\r\n;]{0,20}[>&<]\s{0,4}\/dev\/(tcp|udp)\/[^\s\/]{1,100}\/[^\s;&|]{1,10}/
        $descriptor = /\bexec\s{1,4}\d{1,3}\s{0,2}<>\s{0,4}\/dev\/(tcp|udp)\/[^\s\/]{1,100}\/[^\s;&|]{1,10}[^\r\n]{0,10}[;\r\n&][^\r\n]{0,80}(\bsh\b|bash|while read|cat\s{0,2}<&)/
        $zero = /\b0<&\d{1,3}\s{0,2}-?\s{0,2};\s{0,2}exec\s{1,4}\d{1,3}\s{0,2}<>\s{0,2}\/dev\/(tcp|udp)\//
        $sh_redirect = /\/dev\/(tcp|udp)\/[^\s\/]{1,100}\/\d{1,5}\s{0,4}(0?<&1|0>&1|<&\d)[^\r\n]{0,20}/
    condition:
        filesize < 10MB and any of them
}

rule SQUALL_ReverseShell_Netcat : REVERSESHELL LINUX T1059_004 {
    meta:
        description = "Shell connected to a network address with netcat"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1059/004/"
        id = "51c42a55-dddd-5c3b-931d-7ccfd4c6b977"
        falsepositive = "Training material and manuals"
    strings:
        $execute = /\b(nc|ncat|netcat|nc\.traditional|nc(64)?\.exe)\s[^\r\n|;]{0,80}\s?-[a-z]{0,4}[ec]\s{1,4}["']?(\/bin\/|\/usr\/bin\/)?((ba|da|z|k)?sh|cmd(\.exe)?|powershell(\.exe)?)\b/ nocase ascii wide
        $pipe = /\bmk(fifo|nod)\s[^\r\n]{1,60}[;&\r\n][^\r\n]{0,60}\|\s{0,4}(\/bin\/|\/usr\/bin\/)?(ba|da|z|k)?sh\s[^\r\n|]{0,30}\|\s{0,4}(nc|ncat|netcat|telnet|busybox nc)\s/
    condition:
        filesize < 10MB and any of them
}

rule SQUALL_ReverseShell_OpenSSL : REVERSESHELL LINUX T1059_004 T1573 {
    meta:
        description = "Shell connected to a network address through openssl"
        author = "Squall project"
        date = "2026-11-24"
        score = 80
        reference = "https://attack.mitre.org/techniques/T1573/"
        id = "c250771c-ed0c-505d-a1a4-0147f12ebc44"
        falsepositive = "Training material"
    strings:
        $pipe = /\bmk(fifo|nod)\s[^\r\n]{1,60}[;&\r\n][^\r\n]{0,80}\|\s{0,4}openssl\s{1,4}s_client\s[^\r\n]{0,120}-connect/
        $loop = /openssl\s{1,4}s_client\s[^\r\n|]{0,120}-connect[^\r\n|]{0,80}\|\s{0,4}(\/bin\/)?(ba|da|z|k)?sh\b[^\r\n]{0,40}\|\s{0,4}openssl\s{1,4}s_client/
    condition:
        filesize < 10MB and any of them
}

rule SQUALL_ReverseShell_Socat : REVERSESHELL LINUX T1059_004 {
    meta:
        description = "Shell with a terminal connected to a network address with socat"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1059/004/"
        id = "d44876ae-a07d-56be-acc5-a2e285e5bedc"
        falsepositive = "Training material and manuals"
    strings:
        $first = /\bsocat\s[^\r\n]{0,80}exec:\s{0,2}["']?[^\r\n"',]{0,20}sh\b[^\r\n]{0,100}(tcp|tcp4|openssl|openssl-connect|udp):[^\s:,]{1,80}:\d{1,5}/ nocase
        $second = /\bsocat\s[^\r\n]{0,80}(tcp|tcp4|openssl|openssl-connect|udp):[^\s:,]{1,80}:\d{1,5}[^\r\n]{0,80}exec:\s{0,2}["']?[^\r\n"',]{0,20}sh\b[^\r\n]{0,60}(pty|stderr)/ nocase
    condition:
        filesize < 10MB and any of them
}

rule SQUALL_ReverseShell_Python : REVERSESHELL PYTHON T1059_006 {
    meta:
        description = "Python code that connects a shell to a network address"
        author = "Squall project"
        date = "2026-11-24"
        score = 80
        reference = "https://attack.mitre.org/techniques/T1059/006/"
        id = "fbff93ac-9d9a-5011-8811-c5a71a69a2ad"
        falsepositive = "Training material"
    strings:
        $connect = /\.\s{0,2}connect\s{0,2}\(\s{0,2}\(\s{0,2}["'\w]/
        $duplicate = /\bdup2\s{0,2}\(\s{0,2}\w{1,20}\s{0,2}\.\s{0,2}fileno\s{0,2}\(\s{0,2}\)\s{0,2},\s{0,2}\w{1,12}\s{0,2}\)/
        $shell1 = /\bpty\s{0,2}\.\s{0,2}spawn\s{0,2}\(/
        $shell2 = /\b(subprocess\s{0,2}\.\s{0,2}|os\s{0,2}\.\s{0,2})?(call|Popen|run|system|execl|execv|execlp)\s{0,2}\(\s{0,2}\[?\s{0,2}["'](\/usr)?(\/bin\/)?((ba|da|z|k)?sh|cmd(\.exe)?)["']/
    condition:
        filesize < 1MB and $connect and $duplicate and any of ($shell*)
}

rule SQUALL_ReverseShell_Perl : REVERSESHELL PERL T1059 {
    meta:
        description = "Perl code that connects a shell to a network address"
        author = "Squall project"
        date = "2026-11-24"
        score = 80
        reference = "https://attack.mitre.org/techniques/T1059/"
        id = "cccd466a-b444-50b0-902a-4f7be7e22b7e"
        falsepositive = "Training material"
    strings:
        $socket = /use\s{1,4}(IO::)?Socket\b|-MIO(::Socket)?\b/
        $standard_input = /open\s{0,2}\(?\s{0,2}\*?STDIN\s{0,2},\s{0,2}["'][<>+]{0,2}&/
        $reopen = /STDIN\s{0,2}->\s{0,2}fdopen\s{0,2}\(/
        $run = /\b(exec|system)\s{0,2}[\(\{]?\s{0,2}["']?[^\r\n;]{0,20}(\bsh\s{1,2}-i|\/bin\/(ba)?sh)/
        $loop = /\b(system|exec)\s{0,2}\(?\s{0,2}\$_\s{0,2}\)?\s{0,2}(while|for)\s{0,2}\(?\s{0,2}<>/
    condition:
        filesize < 1MB and $socket and (($standard_input and $run) or ($reopen and ($loop or $run)))
}

rule SQUALL_ReverseShell_PHP : REVERSESHELL PHP T1059 T1505_003 {
    meta:
        description = "PHP code that connects a shell to a network address"
        author = "Squall project"
        date = "2026-11-24"
        score = 80
        reference = "https://attack.mitre.org/techniques/T1059/"
        id = "a739add8-525c-56e7-913f-f7e666da909c"
        falsepositive = "Training material"
    strings:
        $connect = /\b(p?fsockopen|stream_socket_client|socket_connect)\s{0,4}\(/ nocase
        $run_descriptor = /\b(exec|shell_exec|system|passthru|popen)\s{0,4}\(\s{0,4}["'][^"'\r\n]{0,20}\b(ba|da|z|k)?sh\s[^"'\r\n]{0,10}(<&|>&)\s{0,2}\d/ nocase
        $open_descriptor = /\bproc_open\s{0,4}\(\s{0,4}["'$][^;]{0,60}(,\s{0,4}array\s{0,2}\(\s{0,4}0\s{0,2}=>\s{0,2}\$|,\s{0,4}\$\w{1,20}\s{0,4},\s{0,4}\$pipes)/ nocase
        $shell = /["'][^"'\r\n]{0,60}(\/bin\/)?\b(ba|da|z|k)?sh\s{1,2}-i["']|["']cmd(\.exe)?["']/ nocase
    condition:
        filesize < 1MB and $connect and ($run_descriptor or ($open_descriptor and $shell))
}

rule SQUALL_ReverseShell_Ruby : REVERSESHELL RUBY T1059 {
    meta:
        description = "Ruby code that connects a shell to a network address"
        author = "Squall project"
        date = "2026-11-24"
        score = 80
        reference = "https://attack.mitre.org/techniques/T1059/"
        id = "1a759305-a3b1-5cfd-8595-806950082d5f"
        falsepositive = "Training material"
    strings:
        $connect = /TCPSocket\s{0,2}\.\s{0,2}(new|open)\s{0,2}[\( ]/
        $run = /\b(exec|system|spawn)\s{0,2}[\( ]\s{0,2}(sprintf\s{0,2}\(?\s{0,2})?["'][^"'\r\n]{0,30}\bsh\s[^"'\r\n]{0,10}(<&|>&)/
        $reopen = /(\$stdin|STDIN)\s{0,2}\.\s{0,2}reopen\s{0,2}[\( ]/
        $loop = /IO\s{0,2}\.\s{0,2}popen\s{0,2}\(\s{0,2}(cmd|c|command|line)\s{0,2},\s{0,2}["']r["']\s{0,2}\)/
        $shell = /\b(exec|system|spawn)\s{0,2}[\( ]\s{0,2}["'][^"'\r\n]{0,12}\b(ba)?sh\b/
    condition:
        filesize < 1MB and $connect and ($run or $loop or ($reopen and $shell))
}

rule SQUALL_ReverseShell_Node : REVERSESHELL JAVASCRIPT T1059_007 {
    meta:
        description = "Node.js code that connects a shell to a network address"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1059/007/"
        id = "8106d812-376e-579e-8e85-a29036b942fb"
        falsepositive = "Training material"
    strings:
        $child = /require\s{0,2}\(\s{0,2}["'](node:)?child_process["']\s{0,2}\)/
        $net = /require\s{0,2}\(\s{0,2}["'](node:)?net["']\s{0,2}\)/
        $shell = /\b(spawn|exec|execFile)\s{0,2}\(\s{0,2}["'](\/bin\/)?((ba|da|z)?sh|cmd(\.exe)?|powershell(\.exe)?)["']/
        $connect = /\.\s{0,2}(connect|createConnection)\s{0,2}\(\s{0,2}(\d{2,5}|["'{])/
        $pipe_in = /\.\s{0,2}pipe\s{0,2}\(\s{0,2}\w{1,20}\s{0,2}\.\s{0,2}stdin\s{0,2}\)/
        $pipe_out = /\.\s{0,2}stdout\s{0,2}\.\s{0,2}pipe\s{0,2}\(/
    condition:
        filesize < 512KB and all of them
}

rule SQUALL_ReverseShell_PowerShell : REVERSESHELL POWERSHELL T1059_001 {
    meta:
        description = "PowerShell code that runs commands read from a network connection"
        author = "Squall project"
        date = "2026-11-24"
        score = 85
        reference = "https://attack.mitre.org/techniques/T1059/001/"
        id = "3a55d5b5-6e34-520f-a014-666248e64a1c"
        falsepositive = "Training material"
    strings:
        $connect = /Net\.Sockets\.TCPClient/ nocase ascii wide
        $stream = /\.GetStream\s{0,2}\(\s{0,2}\)/ nocase ascii wide
        $read = /\.Read\s{0,2}\(|\.ReadLine\s{0,2}\(/ nocase ascii wide
        $run = /\b(iex|invoke-expression)\s{0,2}[\(\s]?\s{0,2}\$\w/ nocase ascii wide
        $write = /\.Write(Line)?\s{0,2}\(/ nocase ascii wide
    condition:
        filesize < 1MB and all of them
}

rule SQUALL_ReverseShell_Telnet_Pair : REVERSESHELL LINUX T1059_004 {
    meta:
        description = "Shell between two telnet connections"
        author = "Squall project"
        date = "2026-11-24"
        score = 75
        reference = "https://attack.mitre.org/techniques/T1059/004/"
        id = "992a610c-a318-5e89-90cf-340dd6f1b86a"
        falsepositive = "Training material"
    strings:
        $pair = /\btelnet\s{1,4}[^\s|;]{1,80}\s{1,4}[^\s|;]{1,6}\s{0,4}\|\s{0,4}(\/bin\/|\/usr\/bin\/)?(ba|da|z|k)?sh\s{0,4}[^\r\n|]{0,20}\|\s{0,4}telnet\s/
        $awk = /\/inet\/(tcp|udp)\/0\/[^\s"'\/]{1,80}\/\d{1,5}["'][^\r\n]{0,200}\|\s{0,2}getline/
    condition:
        filesize < 1MB and any of them
}

rule SQUALL_ReverseShell_Lua : REVERSESHELL LUA T1059_011 {
    meta:
        description = "Lua code that connects a shell to a network address"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1059/011/"
        id = "5542bacc-ef76-59a8-a168-d06739b13403"
        falsepositive = "Training material"
    strings:
        $socket = /require\s{0,2}\(?\s{0,2}["']socket["']/
        $connect = /:\s{0,2}connect\s{0,2}\(/
        $run = /\b(os\.execute|io\.popen)\s{0,2}\(\s{0,2}["'][^"'\r\n]{0,20}\b(ba)?sh\s{1,2}-i\s[^"'\r\n]{0,10}<&/
        $loop = /:\s{0,2}receive\s{0,2}\([^\r\n]{0,200}io\.popen\s{0,2}\(\s{0,2}\w{1,20}\s{0,2},\s{0,2}["']r["']\s{0,2}\)/
    condition:
        filesize < 512KB and $socket and $connect and any of ($run, $loop)
}
