// What the console reads of the service's own API document (OpenAPI 3.1), and
// two ways to write it down: the shape of a body, and a request with curl.

export interface Schema {
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  $ref?: string;
  oneOf?: Schema[];
  allOf?: Schema[];
  enum?: unknown[];
  additionalProperties?: Schema | boolean;
  format?: string;
  example?: unknown;
}

export interface Parameter {
  name: string;
  in: "query" | "path" | "header";
  description?: string;
  required?: boolean;
  schema: Schema;
}

export interface Body {
  content?: Record<string, { schema?: Schema }>;
}

export interface Operation {
  tags?: string[];
  operationId: string;
  summary?: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: Body;
  responses: Record<string, Body & { description: string }>;
  security?: Record<string, string[]>[];
}

export interface Document {
  info: { title: string; version: string; description?: string };
  tags?: { name: string; description?: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** An operation and where it is. */
export interface Endpoint extends Operation {
  method: string;
  path: string;
}

export function endpoints(document: Document): Endpoint[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
}

/** Whether it is for analysts where no token is needed: what it says of 403 names them. */
export function forAnalysts(operation: Operation): boolean {
  return /\banalyst/.test(operation.responses["403"]?.description ?? "");
}

/** Returns the role that a token needs, or none if nobody needs one. */
export function role(operation: Operation): string | null {
  return operation.security?.flatMap((way) => Object.values(way).flat())[0] ?? null;
}

/** How deep a shape is written out. */
const DEPTH_MAX = 6;

/** Writes what a body looks like: JSON with the types in place of values, and what each means behind it. */
export function shape(schema: Schema, document: Document): string {
  return write(schema, document, 0, []);
}

function write(schema: Schema, document: Document, depth: number, inside: string[]): string {
  const name = schema.$ref?.split("/").pop();
  if (name !== undefined) {
    const found = document.components.schemas[name];
    // A shape that holds itself is named the second time.
    if (found === undefined || inside.includes(name)) return name;
    // Far below, what has lines of its own is named; a word of a few stays a word of a few.
    if (depth > DEPTH_MAX && merged(found, document).properties !== undefined) return name;
    return write(found, document, depth, [...inside, name]);
  }
  const either = schema.oneOf ?? [];
  if (either.length > 0) return [...new Set(either.map((one) => write(one, document, depth, inside)))].join(" | ");
  if (schema.allOf?.length === 1) return write(schema.allOf[0] ?? {}, document, depth, inside);
  if (schema.allOf !== undefined) return write(merged(schema, document), document, depth, inside);
  const orNull = [schema.type].flat().includes("null") ? " | null" : "";
  if (schema.enum !== undefined) {
    const values = [...new Set([...schema.enum, ...(orNull === "" ? [] : [null])])];
    return values.map((value) => JSON.stringify(value)).join(" | ");
  }
  if (schema.items !== undefined) return `[${write(schema.items, document, depth, inside)}, …]${orNull}`;
  const indent = "  ".repeat(depth + 1);
  const lines = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const text = `${indent}${JSON.stringify(key)}: ${write(value, document, depth + 1, inside)}`;
    const optional = schema.required?.includes(key) ? "" : "may be absent";
    const note = [optional, oneLine(meaning(value, document))].filter(Boolean).join("; ");
    return note === "" ? text : `${text}  // ${note}`;
  });
  const rest = schema.additionalProperties;
  if (typeof rest === "object") lines.push(`${indent}"…": ${write(rest, document, depth + 1, inside)}`);
  if (lines.length > 0) return `{\n${lines.join("\n")}\n${"  ".repeat(depth)}}${orNull}`;
  return types(schema);
}

/** What a schema refers to, and what several together say, as one. */
function merged(schema: Schema, document: Document, seen: string[] = []): Schema {
  const name = schema.$ref?.split("/").pop();
  if (name !== undefined) {
    const found = document.components.schemas[name];
    return found === undefined || seen.includes(name) ? {} : merged(found, document, [...seen, name]);
  }
  if (schema.allOf === undefined) return schema;
  const { allOf, ...own } = schema;
  return [...allOf.map((part) => merged(part, document, seen)), own].reduce((all, part) => ({
    ...all,
    ...part,
    properties: { ...all.properties, ...part.properties },
    required: [...(all.required ?? []), ...(part.required ?? [])],
  }));
}

/** What a value means: as it is said in its place, else of what it refers to. */
function meaning(schema: Schema, document: Document): string | undefined {
  const parts = [schema, ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  const said = parts.find((part) => part.description !== undefined);
  return said?.description ?? parts.map((part) => document.components.schemas[part.$ref?.split("/").pop() ?? ""]?.description).find(Boolean);
}

/** Names the type of a value. */
export function types(schema: Schema): string {
  const all = [schema.type ?? "any"].flat();
  const orNull = all.length > 1 && all.includes("null") ? " | null" : "";
  const known = orNull === "" ? all : all.filter((one) => one !== "null");
  return `${known.join(" | ")}${schema.format === undefined ? "" : ` (${schema.format})`}${orNull}`;
}

export function oneLine(text: string | undefined): string {
  return (text ?? "").split(/\s*\n\s*/).join(" ");
}

/** Writes the address of a request with these values, those left out that are empty; for what is required stands its name in capitals. */
export function address(endpoint: Endpoint, values: Record<string, string>): string {
  const search = new URLSearchParams();
  let path = endpoint.path;
  for (const { name, required, in: place } of endpoint.parameters ?? []) {
    if (place === "header") continue;
    const value = values[name] || (required || place === "path" ? name.toUpperCase() : "");
    // No `$` of a value is anything but a `$`.
    if (place === "path") path = path.replace(`{${name}}`, () => encodeURIComponent(value));
    else if (value !== "") search.set(name, value);
  }
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** Writes the request for a shell. */
export function curl(endpoint: Endpoint, values: Record<string, string>, origin: string, withToken: boolean): string {
  const parts = ["curl"];
  const answer = Object.keys(endpoint.responses["200"]?.content ?? {})[0] ?? "";
  if (answer === "text/event-stream") parts.push("-N");
  else if (/zip|octet-stream/.test(answer)) parts.push(`-o ${fileName(endpoint, values)}`);
  if (endpoint.method !== "GET" && !(endpoint.method === "POST" && endpoint.requestBody)) parts.push(`-X ${endpoint.method}`);
  if (withToken && role(endpoint) !== null) parts.push(`-H "Authorization: Bearer $TOKEN"`);
  for (const { name, in: place } of endpoint.parameters ?? []) {
    if (place === "header" && values[name]) parts.push(`-H ${quoted(`${name}: ${values[name]}`)}`);
  }
  const kind = Object.keys(endpoint.requestBody?.content ?? {})[0];
  if (kind === "multipart/form-data") parts.push("-F file=@sample.bin");
  else if (kind !== undefined) parts.push(`-H ${quoted(`Content-Type: ${kind}`)} --data-binary @body.json`);
  parts.push(quoted(origin + address(endpoint, values)));
  return parts.join(" ");
}

/** Bytes are no text for a terminal: the file they go to. */
function fileName(endpoint: Endpoint, values: Record<string, string>): string {
  const [first] = (endpoint.parameters ?? []).filter(({ in: place }) => place === "path");
  const stem = first === undefined ? endpoint.operationId : values[first.name] || first.name.toUpperCase();
  // Of a value that is anything, no other folder.
  return `${stem.replace(/[^\w.-]/g, "_").replace(/^[.-]+/, "") || "answer"}.${endpoint.path.endsWith("zip") ? "zip" : "bin"}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
