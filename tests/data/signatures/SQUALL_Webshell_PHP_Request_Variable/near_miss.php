<?php
$name = $_GET['name'] ?? 'world';
echo htmlspecialchars($name);
$out = shell_exec('uptime');
$host = escapeshellarg($_GET['host']);
system("ping -c 1 $host");
