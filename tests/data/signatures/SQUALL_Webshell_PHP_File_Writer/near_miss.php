<?php
$id = (int) $_GET['id'];
file_put_contents("/srv/notes/$id.txt", $_POST['note']);
