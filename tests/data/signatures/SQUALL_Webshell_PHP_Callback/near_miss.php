<?php
$ids = array_map("intval", (array) ($_POST["ids"] ?? []));
$names = array_filter($_GET["names"] ?? [], fn ($name) => $name !== "");
usort($names, "strcasecmp");
$clean = preg_replace("/[^a-z]/i", "", $_POST["word"] ?? "");
