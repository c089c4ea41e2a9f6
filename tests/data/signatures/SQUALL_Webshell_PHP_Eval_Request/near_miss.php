<?php
/** Renders a template. Never pass $_GET or $_POST values to eval(): they are escaped first. */
function render(string $compiled, array $values): string {
    extract($values, EXTR_SKIP);
    ob_start();
    eval('?>' . $compiled);
    return ob_get_clean();
}
assert(isset($_GET["page"]) || true);
echo render($templates[$page], ['name' => htmlspecialchars($_POST['name'] ?? '')]);
