<?php
$sock = fsockopen("mail.example.net", 25, $errno, $errstr, 5);
fwrite($sock, "EHLO example.net\r\n");
$process = proc_open("/usr/sbin/sendmail -t", [["pipe", "r"], ["pipe", "w"]], $pipes);
