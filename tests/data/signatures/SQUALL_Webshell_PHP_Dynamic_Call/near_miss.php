<?php
$handlers = ['list' => 'list_items', 'show' => 'show_item'];
$name = $_GET['action'] ?? 'list';
if (isset($handlers[$name])) { $handlers[$name]((int) ($_POST['id'] ?? 0)); }
