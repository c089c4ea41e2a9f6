"""What tests of several pages do: send, drop, wait, and read a list."""

from support.rules import MARKER, SECOND
from support.service import wait_until

DROP = """([files]) => {
  const transfer = new DataTransfer();
  for (const [name, text] of files) transfer.items.add(new File([text], name));
  return transfer;
}"""

# Names of the findings that `seed` makes.
SHELL, BOTH, SECOND_ONLY, RUN, NAMED = "C:\\inetpub\\shell.php", "/tmp/both.txt", "/opt/second.bin", "/opt/run.bin", "/var/www/named.php"


def drop(page, *files):
    """Drops files, as (name, content), on the page."""
    transfer = page.evaluate_handle(DROP, [[[name, content.decode()] for name, content in files]])
    page.dispatch_event("[data-drop]", "dragover", {"dataTransfer": transfer})
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": transfer})


def stored(service, count: int):
    """Waits until the store has so many findings; returns them, newest first."""
    return wait_until(
        lambda: (found := service.json("/api/v1/findings?limit=1000")["findings"]) and len(found) >= count and found,
        15,
        f"{count} findings",
    )


def seed(service):
    """Five findings of four sources, one of them of a collection run that never ends; returns the run's id."""
    service.check(MARKER, name=SHELL, source="web-01")
    service.check(MARKER + SECOND, name=BOTH, source="web-02")
    service.check(SECOND, name=SECOND_ONLY, source="db-03")
    begun = service.post("/api/v1/collection", json={
        "type": "begin", "source": "web-04", "collector": "collector/0.5", "timestamp": "2026-11-24T08:00:00Z"}).json()
    service.check(SECOND, name=RUN, source="web-04", scan_id=begun["scan_id"])
    service.check(b"nothing but a name", name=NAMED, source="web-01")
    stored(service, 5)
    return begun["scan_id"]


def until(page, condition, what, seconds=15):
    """Waits for what the browser tells: unlike `wait_until` it hears of events meanwhile."""
    for _ in range(seconds * 20):
        if value := condition():
            return value
        page.wait_for_timeout(50)
    raise AssertionError(f"not within {seconds} s: {what}")


def names(page) -> list:
    """The names in the list of findings, as it shows them."""
    return [text.strip() for text in page.locator("table.findings .c-name a").all_inner_texts()]
