<?php
$user = find_user($_POST["email"]);
if ($user && password_verify($_POST["password"], $user->hash)) { log_login($user, $_SERVER["REMOTE_ADDR"]); header("Location: /home"); exit; }
http_response_code(401);
