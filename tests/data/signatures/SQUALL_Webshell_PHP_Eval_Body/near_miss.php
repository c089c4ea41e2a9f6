<?php
$order = json_decode(file_get_contents("php://input"), true);
if ($order === null) { http_response_code(400); exit; }
save($order);
