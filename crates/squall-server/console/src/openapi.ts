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
  in: "query" | "path";
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
    if (found === undefined || inside.includes(name) || depth > DEPTH_MAX) return name;
    return write(found, document, depth, [...inside, name]);
  }
  const either = schema.oneOf ?? [];
  if (either.length > 0) return [...new Set(either.map((one) => write(one, document, depth, inside)))].join(" | ");
  if (schema.allOf?.length === 1) return write(schema.allOf[0] ?? {}, document, depth, inside);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.items !== undefined) return `[${write(schema.items, document, depth, inside)}, …]`;
  const indent = "  ".repeat(depth + 1);
  const lines = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const text = `${indent}${JSON.stringify(key)}: ${write(value, document, depth + 1, inside)}`;
    const optional = schema.required?.includes(key) ? "" : "may be absent";
    const note = [optional, oneLine(value.description)].filter(Boolean).join("; ");
    return note === "" ? text : `${text}  // ${note}`;
  });
  const rest = schema.additionalProperties;
  if (typeof rest === "object") lines.push(`${indent}"…": ${write(rest, document, depth + 1, inside)}`);
  if (lines.length > 0) return `{\n${lines.join("\n")}\n${"  ".repeat(depth)}}`;
  return types(schema);
}

/** Names the type of a value. */
export function types(schema: Schema): string {
  const all = [schema.type ?? "any"].flat().join(" | ");
  return schema.format === undefined ? all : `${all} (${schema.format})`;
}

export function oneLine(text: string | undefined): string {
  return (text ?? "").split(/\s*\n\s*/).join(" ");
}

/** Writes the address of a request with these values, those left out that are empty. */
export function address(endpoint: Endpoint, values: Record<string, string>): string {
  const search = new URLSearchParams();
  let path = endpoint.path;
  for (const { name, in: place } of endpoint.parameters ?? []) {
    const value = values[name] ?? "";
    if (place === "path") path = path.replace(`{${name}}`, value === "" ? `{${name}}` : encodeURIComponent(value));
    else if (value !== "") search.set(name, value);
  }
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** Writes the request for a shell. */
export function curl(endpoint: Endpoint, values: Record<string, string>, origin: string, withToken: boolean): string {
  const parts = ["curl"];
  if (endpoint.method !== "GET" && !(endpoint.method === "POST" && endpoint.requestBody)) parts.push(`-X ${endpoint.method}`);
  if (withToken && role(endpoint) !== null) parts.push(`-H "Authorization: Bearer $TOKEN"`);
  const kind = Object.keys(endpoint.requestBody?.content ?? {})[0];
  if (kind === "multipart/form-data") parts.push("-F file=@sample.bin");
  else if (kind !== undefined) parts.push(`-H ${quoted(`Content-Type: ${kind}`)} -d @body.json`);
  parts.push(quoted(origin + address(endpoint, values)));
  return parts.join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
