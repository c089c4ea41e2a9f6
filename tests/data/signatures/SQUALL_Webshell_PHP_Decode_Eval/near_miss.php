<?php
$icon = base64_decode("S03OyFdQykjNyclXSCvKz1UoyUhVyMxLLSpRKEktLlFIy8xJVbJOpbsqAA==");
$settings = unserialize(gzuncompress(base64_decode($row["settings"])), ["allowed_classes" => false]);
echo "<img src=\"data:image/png;base64," . base64_encode($icon) . "\">";
