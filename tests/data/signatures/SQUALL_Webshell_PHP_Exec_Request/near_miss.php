<?php
// Makes a thumbnail; the name comes from a table, not from the visitor.
$allowed = ['a' => 'a.png', 'b' => 'b.png'];
$name = $allowed[$_GET['image'] ?? ''] ?? null;
if ($name === null) { http_response_code(404); exit; }
exec('convert ' . escapeshellarg("/srv/images/$name") . ' -resize 100x100 /srv/thumbs/' . $name, $output, $status);
