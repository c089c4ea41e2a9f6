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
/** How many results are asked for at the same time: a browser has six connections for everything. */
const ASKED_AT_ONCE = 2;
/** Of how many queued samples, the oldest: they are scanned in their turn. */
const ASKED_OF = 20;
/** Files taken at once; more belong to a collector. */
export const FILES_MAX = 10_000;
/** Names told of what could not be read. */
const UNREADABLE_TOLD = 5;

/** Files that somebody chose or dropped. */
export interface Chosen {
  files: { file: File; name: string }[];
  /** There were more than are taken. */
  cut: boolean;
  /** Names of what the browser could not read, and how many there are. */
  unreadable: string[];
  unreadableCount: number;
}

/** A queued sample whose result is awaited. */
interface Followed {
  upload: Upload;
  id: number;
  due: number;
}

export class Uploads {
  all: Upload[] = [];
  private running = 0;
  private next = 1;
  private followed: Followed[] = [];
  private asking = 0;
  private timer: number | undefined;
  private listeners = new Set<() => void>();
  private static one: Uploads | null = null;

  static shared(): Uploads {
    Uploads.one ??= new Uploads();
    return Uploads.one;
  }

  private constructor() {
    // What was not sent yet is gone with the page.
    addEventListener("beforeunload", (event) => {
      if (this.all.some(({ state }) => state.is === "waiting" || state.is === "sending")) event.preventDefault();
    });
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
    this.await({ upload, id, due: Date.now() + ASK_MS / 2 });
  }

  private await(one: Followed): void {
    this.followed.push(one);
    this.followed.sort((a, b) => a.id - b.id);
    this.ask();
  }

  private ask(): void {
    const now = Date.now();
    while (this.asking < ASKED_AT_ONCE) {
      const at = this.followed.slice(0, ASKED_OF).findIndex(({ due }) => due <= now);
      const [one] = at < 0 ? [] : this.followed.splice(at, 1);
      if (one === undefined) break;
      this.asking += 1;
      this.askFor(one)
        .then((ms) => ms !== null && this.await({ ...one, due: Date.now() + ms }))
        .finally(() => {
          this.asking -= 1;
          this.ask();
        });
    }
    clearTimeout(this.timer);
    const next = Math.min(...this.followed.slice(0, ASKED_OF).map(({ due }) => due));
    if (Number.isFinite(next) && this.asking < ASKED_AT_ONCE) this.timer = window.setTimeout(() => this.ask(), Math.max(0, next - now));
  }

  /** Asks once; returns when to ask again, or `null` if that is over. */
  private async askFor({ upload, id }: Followed): Promise<number | null> {
    try {
      const answer = await get<{ status: string; result?: Finding[] }>(`/api/v1/getAsyncResults?id=${id}`);
      if (answer.status === "Sample analysis complete") this.set(upload, { is: "done", findings: answer.result ?? [] });
      else if (answer.status === "Sample analysis failed") {
        this.set(upload, { is: "failed", reason: "The sample could not be scanned; see System" });
      } else {
        this.set(upload, { is: "queued", status: answer.status });
        return ASK_MS;
      }
    } catch (error) {
      const status = (error as { status?: number }).status;
      if (status === 0 || status === 503) return 5 * ASK_MS;
      this.set(upload, { is: "failed", reason: `sample ${id}: ${(error as Error).message}` });
    }
    return null;
  }
}

/** Returns what was chosen with an input. */
export function chosen(list: FileList): Chosen {
  const all = [...list];
  const files = all.slice(0, FILES_MAX).map((file) => ({ file, name: file.webkitRelativePath || file.name }));
  return { files, cut: all.length > FILES_MAX, unreadable: [], unreadableCount: 0 };
}

/** Returns what was dropped, the files of folders included. */
export async function collect(transfer: DataTransfer): Promise<Chosen> {
  // Entries are to be taken before anything is waited for.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  const plain = chosen(transfer.files);
  const found: Chosen = { files: [], cut: false, unreadable: [], unreadableCount: 0 };
  for (const entry of entries) if (entry !== null) await walk(entry, found);
  // A script that drops files has no entries.
  return entries.some((entry) => entry !== null) ? found : plain;
}

/** Adds the files of an entry. One that cannot be read keeps no other from being sent. */
async function walk(entry: FileSystemEntry, found: Chosen): Promise<void> {
  if (found.cut) return;
  try {
    if (entry.isFile) {
      if (found.files.length >= FILES_MAX) {
        found.cut = true;
        return;
      }
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      found.files.push({ file, name: entry.fullPath.replace(/^\//, "") });
      return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
      const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (part.length === 0 || found.cut) return;
      for (const inner of part) await walk(inner, found);
    }
  } catch {
    found.unreadableCount += 1;
    if (found.unreadable.length < UNREADABLE_TOLD) found.unreadable.push(entry.fullPath.replace(/^\//, ""));
  }
}
