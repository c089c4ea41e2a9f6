<?php echo "inert";
