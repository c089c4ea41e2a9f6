<?php
$signature = "\x89\x50\x4e\x47";
$greeting = "as" . " " . "usual";
$line = chr(13) . chr(10) . chr(9);
echo strrev("desserts");
