// Uploads of this browser: a few at a time, each with its progress, sent again
// when the service asks for that. They go on when another page is shown.

import { failure, get, OWN_HEADER, query } from "./api";
import type { Finding } from "./types";

export interface Upload {
  id: number;
  file: File;
  name: string;
  options: Options;
  state:
    | { is: "waiting"; why?: string }
    | { is: "sending"; sent: number }
    | { is: "queued"; status: string }
    | { is: "done"; findings: Finding[] }
    | { is: "failed"; reason: string };
}

export interface Options {
  queued: boolean;
  source: string;
}

/** Uploads at the same time. */
const AT_ONCE = 3;
/** How often the result of a queued sample is asked for. */
const ASK_MS = 700;
/** Files of a folder at most; more belong to a collector. */
const FILES_MAX = 10_000;

export class Uploads {
  all: Upload[] = [];
  private running = 0;
  private next = 1;
  private listeners = new Set<() => void>();
  private static one: Uploads | null = null;

  static shared(): Uploads {
    Uploads.one ??= new Uploads();
    return Uploads.one;
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  add(files: { file: File; name: string }[], options: Options): void {
    for (const { file, name } of files) {
      this.all.push({ id: this.next, file, name, options, state: { is: "waiting" } });
      this.next += 1;
    }
    this.tell();
    this.begin();
  }

  /** Sends a file again that could not be sent, or scanned. */
  again(upload: Upload): void {
    if (upload.state.is !== "failed") return;
    this.set(upload, { is: "waiting" });
    this.begin();
  }

  clear(): void {
    this.all = this.all.filter((upload) => upload.state.is !== "done" && upload.state.is !== "failed");
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  private set(upload: Upload, state: Upload["state"]): void {
    upload.state = state;
    this.tell();
  }

  private begin(): void {
    while (this.running < AT_ONCE) {
      const upload = this.all.find(({ state }) => state.is === "waiting" && state.why === undefined);
      if (upload === undefined) return;
      this.running += 1;
      this.set(upload, { is: "sending", sent: 0 });
      this.run(upload)
        .catch((error: Error) => this.set(upload, { is: "failed", reason: error.message }))
        .finally(() => {
          this.running -= 1;
          this.begin();
        });
    }
  }

  private async run(upload: Upload): Promise<void> {
    const { queued, source } = upload.options;
    const path = `/api/v1/${queued ? "checkAsync" : "check"}${query({ source })}`;
    const answer = await this.send(upload, path);
    if (answer.status === 503) {
      const error = failure(answer.status, answer.text, answer.retryAfter);
      const seconds = error.retryAfterSeconds ?? 5;
      this.set(upload, { is: "waiting", why: `${error.message}; again in ${seconds} s` });
      setTimeout(() => {
        this.set(upload, { is: "waiting" });
        this.begin();
      }, seconds * 1000);
    } else if (answer.status !== 200) {
      throw failure(answer.status, answer.text, null);
    } else if (queued) {
      this.follow(upload, (JSON.parse(answer.text) as { id: number }).id);
    } else {
      this.set(upload, { is: "done", findings: JSON.parse(answer.text) as Finding[] });
    }
  }

  /** `fetch` does not tell how much was sent. */
  private send(upload: Upload, path: string): Promise<{ status: number; text: string; retryAfter: string | null }> {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", path);
      for (const [name, value] of Object.entries(OWN_HEADER)) request.setRequestHeader(name, value);
      request.upload.onprogress = (event) => this.set(upload, { is: "sending", sent: event.loaded });
      request.upload.onload = () => this.set(upload, { is: "sending", sent: upload.file.size });
      request.onload = () =>
        resolve({
          status: request.status,
          text: request.responseText,
          retryAfter: request.getResponseHeader("Retry-After"),
        });
      request.onerror = () => reject(new Error("the file could not be sent: it cannot be read, or the service does not answer"));
      const form = new FormData();
      form.append("file", upload.file, upload.name);
      request.send(form);
    });
  }

  /** Asks for the result of a queued sample until it is there. */
  private follow(upload: Upload, id: number): void {
    this.set(upload, { is: "queued", status: "Waiting for execution" });
    const ask = async () => {
      try {
        const answer = await get<{ status: string; result?: Finding[] }>(`/api/v1/getAsyncResults?id=${id}`);
        if (answer.status === "Sample analysis complete") {
          this.set(upload, { is: "done", findings: answer.result ?? [] });
        } else if (answer.status === "Sample analysis failed") {
          this.set(upload, { is: "failed", reason: "The sample could not be scanned; see System" });
        } else {
          this.set(upload, { is: "queued", status: answer.status });
          setTimeout(ask, ASK_MS);
        }
      } catch (error) {
        const status = (error as { status?: number }).status;
        if (status === 0 || status === 503) setTimeout(ask, 5 * ASK_MS);
        else this.set(upload, { is: "failed", reason: `sample ${id}: ${(error as Error).message}` });
      }
    };
    setTimeout(ask, ASK_MS / 2);
  }
}

/** Returns what was dropped, the files of folders included. */
export async function collect(transfer: DataTransfer): Promise<{ file: File; name: string }[]> {
  // Entries are to be taken before anything is waited for.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  const plain = [...transfer.files];
  const found: { file: File; name: string }[] = [];
  for (const entry of entries) if (entry !== null) await walk(entry, found);
  return found.length > 0 ? found : plain.map((file) => ({ file, name: file.name }));
}

async function walk(entry: FileSystemEntry, found: { file: File; name: string }[]): Promise<void> {
  if (found.length >= FILES_MAX) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ file, name: entry.fullPath.replace(/^\//, "") });
  } else {
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
      const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (part.length === 0) return;
      for (const inner of part) await walk(inner, found);
    }
  }
}
