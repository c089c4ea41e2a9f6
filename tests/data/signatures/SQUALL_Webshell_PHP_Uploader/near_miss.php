<form method="POST" enctype="multipart/form-data"><input type="file" name="photo"></form>
<?php
$kind = strtolower(pathinfo($_FILES["photo"]["name"], PATHINFO_EXTENSION));
if (!in_array($kind, ["jpg", "png"], true)) { die("pictures only"); }
if (move_uploaded_file($_FILES["photo"]["tmp_name"], "/srv/photos/" . basename($_FILES["photo"]["name"]))) { echo "stored"; }
