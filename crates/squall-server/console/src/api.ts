// Requests to the service. Every change carries a header that a page of
// another site cannot send.

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly retryAfterSeconds: number | null = null,
    /** The whole answer, if it is JSON. */
    readonly body: unknown = null,
  ) {
    super(message);
  }
}

/** Told to the window when the service asks for a token. */
export const LOGIN_NEEDED = "squall:login";

export const OWN_HEADER = { "X-Squall-Console": "1" };

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return read(await send(path, { signal }));
}

export async function post<T>(path: string, body?: unknown): Promise<T> {
  return change("POST", path, body);
}

/** Sends a change; `only` are headers that say under which condition it is meant (`If-Match`). */
export async function change<T>(method: string, path: string, body?: unknown, only: Record<string, string> = {}): Promise<T> {
  const headers: Record<string, string> = { ...only };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return read(await send(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) }));
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { ...init, headers: { ...OWN_HEADER, ...init.headers }, cache: "no-store", credentials: "same-origin" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "the service does not answer");
  }
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as T;
  if (response.status === 401) dispatchEvent(new Event(LOGIN_NEEDED));
  throw failure(response.status, text, response.headers.get("Retry-After"));
}

/** Makes what was thrown one of ours. */
export function asError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(0, String(error));
}

/** Makes an error of an answer that is none of success. */
export function failure(status: number, text: string, retryAfter: string | null): ApiError {
  let body: { message?: unknown } | null = null;
  let message = `the service answers with status ${status}`;
  try {
    body = JSON.parse(text) as { message?: unknown };
    if (typeof body?.message === "string") message = body.message;
  } catch {
    // Not ours: a proxy's page, say.
  }
  const seconds = retryAfter === null ? null : Number.parseInt(retryAfter, 10);
  return new ApiError(status, message, Number.isFinite(seconds) ? seconds : null, body);
}

/** Writes parameters that have a value. */
export function query(parameters: Record<string, string | number | null | undefined>): string {
  const set = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== "") set.set(name, String(value));
  }
  const text = set.toString();
  return text === "" ? "" : `?${text}`;
}
