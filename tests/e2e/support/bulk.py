"""Many uploads at once, each thread with a connection of its own."""

import threading
from concurrent.futures import ThreadPoolExecutor

import requests


def _session(local: threading.local) -> requests.Session:
    if not hasattr(local, "session"):
        local.session = requests.Session()
        local.session.trust_env = False
        local.session.verify = False
    return local.session


def enqueue_many(service, contents, threads: int = 8, source: str = "bulk") -> dict[int, bytes]:
    """Queues every content; returns which id each was acknowledged under. A refusal fails."""
    local = threading.local()

    def one(item) -> tuple[int, bytes]:
        number, content = item
        answer = _session(local).post(
            f"{service.url}/api/checkAsync",
            params={"source": source},
            files={"file": (f"/bulk/{number}.txt", content)},
            timeout=60,
        )
        assert answer.status_code == 200, f"{answer.status_code} {answer.text[:300]}"
        return answer.json()["id"], content

    with ThreadPoolExecutor(threads) as pool:
        return dict(pool.map(one, enumerate(contents)))


class Load:
    """Threads that queue samples until the service dies; remembers what was acknowledged."""

    def __init__(self, service, make_content, threads: int = 6):
        """`make_content(thread, number)` gives each sample's bytes."""
        self.acknowledged: dict[int, bytes] = {}
        self.reused: list[int] = []
        self.unexpected: list[str] = []
        self._service = service
        self._make_content = make_content
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self, thread: int) -> None:
        local = threading.local()
        number = 0
        while not self._stop.is_set():
            content = self._make_content(thread, number)
            number += 1
            try:
                answer = _session(local).post(
                    f"{self._service.url}/api/checkAsync",
                    files={"file": (f"/load/{thread}/{number}", content)},
                    timeout=20,
                )
            except requests.RequestException:
                self._stop.wait(0.02)  # Killed meanwhile: nothing was promised.
                continue
            if answer.status_code == 200:
                sample_id = answer.json()["id"]
                with self._lock:
                    if sample_id in self.acknowledged:
                        self.reused.append(sample_id)
                    self.acknowledged[sample_id] = content
            elif answer.status_code != 503:
                self.unexpected.append(f"{answer.status_code} {answer.text[:300]}")
