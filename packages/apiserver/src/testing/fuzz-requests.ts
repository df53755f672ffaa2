// Requests that no good client sends, by chance but repeatably: wrong types at random places of objects of every kind,
// broken syntax, odd headers and queries, random protobuf. Sends nothing and judges nothing.

import type { Resource } from "@picokube/api/resource";
import { apiVersionOf } from "@picokube/api/resource";
import { builtinResources } from "@picokube/api/resources";
import { sampleObject } from "./sample-object.js";

export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: Buffer | undefined;
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const nested = (depth: number) => JSON.parse(`${"[".repeat(depth)}${"]".repeat(depth)}`) as unknown;
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  "",
  "a",
  "-1",
  "..",
  "漢字\u0000\ud800",
  "1e400000000",
  "99999999999999999999999999999Ei",
  "2024-02-31T25:61:61Z",
  "a".repeat(20_000),
  "a.".repeat(5_000),
  [],
  {},
  [null],
  [[]],
  [{}],
  { "": "" },
  JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":1},"toString":null}'),
  nested(600),
];
const TYPES = [
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "application/cbor",
  "application/json; charset=latin1",
  "*/*",
  "text/html",
  ";",
];
const PATCHES = [
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/json-patch+json",
  "application/apply-patch+yaml",
];
const ODD_HEADERS: readonly { [name: string]: string }[] = [
  { accept: "application/json;as=Table;g=meta.k8s.io;v=v1" },
  { accept: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1" },
  { accept: "application/yaml" },
  { accept: "application/cbor" },
  { accept: ",;=;q=x,*/*;q=-1" },
  { "impersonate-user": "constructor" },
  { "impersonate-group": "a" },
  { "impersonate-user": "a", "impersonate-extra-__proto__": "b", "impersonate-extra-%zz": "c" },
  { authorization: "Bearer x.y.z" },
  { authorization: "Basic" },
  { "x-remote-user": "system:admin" },
  { "audit-id": "é".repeat(60) },
  { "accept-encoding": "gzip;q=nan, br" },
  { "if-none-match": "*" },
];
const ODD_QUERIES = [
  "",
  "",
  "dryRun=All",
  "dryRun=__proto__",
  "fieldValidation=Strict",
  "fieldValidation=constructor",
  "labelSelector=a+in+(b,",
  "labelSelector=%F0%28%8C%28",
  "fieldSelector=metadata.name%3D..%2F..",
  "fieldSelector=__proto__%3D1",
  "limit=-1&continue=e30",
  "limit=999999999999999999",
  "continue=%7B%7D",
  "resourceVersion=-1",
  "resourceVersion=1&resourceVersionMatch=Exact",
  "resourceVersionMatch=constructor",
  "sendInitialEvents=true",
  "watch=1&timeoutSeconds=1",
  "watch=1&timeoutSeconds=1&resourceVersion=1",
  "timeoutSeconds=99999999999",
  "gracePeriodSeconds=-5&propagationPolicy=toString",
  "orphanDependents=maybe",
  "pretty=1",
  "includeObject=valueOf",
  "a=%zz&%=&&&=",
];
const NAMES = [
  "fuzz",
  "fuzz-1",
  "constructor",
  "__proto__",
  "..",
  "%2E%2E",
  "a%2Fb",
  "%00",
  "%E6%BC%A2",
  "A_b",
  "x".repeat(300),
];
const SUBRESOURCES = [
  "status",
  "scale",
  "finalize",
  "approval",
  "binding",
  "eviction",
  "token",
  "ephemeralcontainers",
  "resize",
  "__proto__",
  "constructor",
];
const METHODS = ["POST", "POST", "POST", "PUT", "PATCH", "PATCH", "GET", "DELETE", "HEAD", "OPTIONS"];

/** As many requests as asked for; every kind takes its turn. */
export function* fuzzRequests({ random, count }: { random: () => number; count: number }): Generator<FuzzRequest> {
  for (let index = 0; index < count; index++)
    yield oneRequest(builtinResources[index % builtinResources.length]!, random);
}

function oneRequest(resource: Resource, random: () => number): FuzzRequest {
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  const chance = (share: number) => random() < share;
  const method = pick(METHODS);
  const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = resource.namespaced !== chance(0.03) ? `/namespaces/${chance(0.95) ? "default" : pick(NAMES)}` : "";
  // Never the whole collection of namespaces: without "default" every later request would only say so.
  const isCollection =
    chance(method === "POST" ? 0.95 : 0.15) && !(method === "DELETE" && resource.resource === "namespaces");
  const name = isCollection
    ? ""
    : `/${chance(0.7) ? "fuzz" : pick(NAMES)}${chance(0.25) ? `/${pick(SUBRESOURCES)}` : ""}`;
  const query = chance(0.3) ? `?${pick(ODD_QUERIES)}` : "";
  const path = `${root}${scope}/${resource.resource}${name}${query}`;
  const odd = chance(0.2) ? pick(ODD_HEADERS) : {};
  if (method === "GET" || method === "HEAD" || method === "OPTIONS")
    return { method, path, headers: odd, body: undefined };
  const type = method === "PATCH" ? pick(chance(0.95) ? PATCHES : TYPES) : chance(0.75) ? TYPES[0]! : pick(TYPES);
  return {
    method,
    path,
    headers: { "content-type": type, ...odd },
    body: bodyOf(resource, { type, random, pick, chance }),
  };
}

interface Dice {
  readonly type: string;
  readonly random: () => number;
  pick<T>(choices: readonly T[]): T;
  chance(share: number): boolean;
}

function bodyOf(resource: Resource, dice: Dice): Buffer {
  const { type, pick, chance, random } = dice;
  if (type.includes("protobuf")) return protobufOf(resource, dice);
  const object = sampleObject(resource, pick(["fuzz", "fuzz", "fuzz-1"]), random);
  for (let left = Math.floor(random() * 3); left > 0; left--) spoil(object, dice);
  if (type.includes("json-patch")) return Buffer.from(JSON.stringify(jsonPatchOf(object, dice)));
  const text = JSON.stringify(object);
  if (chance(0.85)) return Buffer.from(text);
  const at = Math.floor(random() * text.length);
  const broken = pick([
    text.slice(0, at),
    `${text.slice(0, at)}${pick(["\0", '"', "{", "}", "\\u12", "&x *x", "!!js/function >", "\t-"])}${text.slice(at + 1)}`,
    `${text.slice(0, -1)},"kind":"Pod","kind":"Secret","漢":1}`,
    `a: &a [*a]\n${text}`,
    `${text}\n---\n${text}`,
    "",
  ]);
  return chance(0.1) ? Buffer.from(broken, "utf16le") : Buffer.from(broken);
}

/** Puts an odd value, or an odd field, at a random place. */
function spoil(object: object, { pick, chance, random }: Dice): void {
  let at = object as Record<string, unknown>;
  for (;;) {
    const keys = Object.keys(at);
    if (keys.length === 0) return;
    const key = keys[Math.floor(random() * keys.length)]!;
    const next = at[key];
    if (typeof next === "object" && next !== null && chance(0.8)) {
      at = next as Record<string, unknown>;
      continue;
    }
    const field = Array.isArray(at) || chance(0.8) ? key : pick(["__proto__", "constructor", "unknown-漢", "toString"]);
    Object.defineProperty(at, field, {
      value: structuredClone(pick(ODD_VALUES)),
      enumerable: true,
      configurable: true,
      writable: true,
    });
    return;
  }
}

function jsonPatchOf(object: object, { pick, random }: Dice): unknown {
  const paths = [
    "",
    "/",
    "/metadata",
    "/metadata/labels/a",
    "/spec",
    "/__proto__/polluted",
    "/constructor/prototype/a",
    "/metadata/name",
    "/spec/-1",
    "/~2",
  ];
  const operation = () => ({
    op: pick(["add", "replace", "remove", "test", "copy", "move", "_get", "__proto__", 1]),
    path: pick([...paths, 1, null]),
    from: pick(paths),
    value: pick([object, ...ODD_VALUES]),
  });
  return Array.from({ length: Math.floor(random() * 5) }, () =>
    pick([operation(), operation(), operation(), pick(ODD_VALUES)]),
  );
}

function protobufOf(resource: Resource, { random, chance }: Dice): Buffer {
  const varint = (number: number): number[] =>
    number < 128 ? [number] : [(number % 128) | 128, ...varint(Math.floor(number / 128))];
  const field = (number: number, bytes: readonly number[]) => [
    ...varint(number * 8 + 2),
    ...varint(bytes.length),
    ...bytes,
  ];
  const text = (words: string) => [...Buffer.from(words)];
  const noise = (length: number) => Array.from({ length }, () => Math.floor(random() * 256));
  const message = (depth: number): number[] =>
    Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
      const number = 1 + Math.floor(random() * 40);
      if (depth < 6 && chance(0.6)) return field(number, message(depth + 1));
      return chance(0.5) ? [...varint(number * 8), ...varint(Math.floor(random() * 2 ** 40))] : field(number, noise(4));
    }).flat();
  const meta = [...field(1, text(apiVersionOf(resource))), ...field(2, text(resource.kind))];
  const raw = chance(0.8)
    ? [...field(1, [...field(1, text("fuzz")), ...message(0)]), ...field(2, message(0))]
    : noise(64);
  const whole = [...text("k8s\0"), ...field(1, meta), ...field(2, raw)];
  return Buffer.from(chance(0.1) ? whole.slice(0, Math.floor(random() * whole.length)) : whole);
}
