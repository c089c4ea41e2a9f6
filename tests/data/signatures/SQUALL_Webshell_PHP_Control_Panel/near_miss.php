<?php
// Reports what the server allows, for a support request.
$page = $_GET['page'] ?? 'summary';
echo 'disable_functions: ', ini_get('disable_functions'), "\n";
echo 'open_basedir: ', ini_get('open_basedir'), "\n";
echo php_uname(), ' ', disk_free_space('/'), "\n";
$version = shell_exec('git describe --tags');
echo decoct(fileperms(__FILE__)), "\n";
chmod(__DIR__ . '/cache', 0755);
