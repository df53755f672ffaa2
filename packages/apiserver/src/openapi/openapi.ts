// Serves /openapi/v2 and /openapi/v3: each document is built at its first request, by a thread that takes its garbage
// with it, and kept only as compressed bytes, until other kinds are served. Routing, authorisation and the answer's
// sending are the caller's.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { gunzip, gzipSync } from "node:zlib";
import { schemasVersion } from "@picokube/api/schema/load";
import type { ResourceDefinition } from "../registry/resource-definition.js";
import type { BuildRequest } from "./build-worker.js";
import { Catalogue, EVERYTHING } from "./catalogue.js";

export interface OpenApiResponse {
  readonly status: 200 | 301 | 304 | 406;
  readonly headers: { readonly [name: string]: string };
  readonly body: Buffer;
}

export interface OpenApi {
  /** undefined: no such document. requestUrl may carry ?hash=; accept is the Accept header. */
  handle(
    requestUrl: string,
    accept: string | undefined,
    headers?: { readonly acceptEncoding?: string | undefined; readonly ifNoneMatch?: string | undefined },
  ): Promise<OpenApiResponse | undefined>;
}

/** What the names of v3's documents begin with. */
const V3 = "v3/";
const JSON_TYPE = "application/json";
/** Asked for with "@" before v1.0; the answer's type has a dot there, for "@" is no token of HTTP. */
const PROTO_V2_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

interface Document {
  readonly contentType: string;
  readonly etag: string;
  gzipped(): Promise<Buffer>;
}

/** The document's compressed bytes, built in a thread that ends with it. */
function build(request: BuildRequest): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./build-worker.js", import.meta.url), {
      workerData: request,
      resourceLimits: { maxYoungGenerationSizeMb: 4 }, // or its heap grows by tens of megabytes before it collects
    });
    worker.once("message", (bytes: Uint8Array) => resolve(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)));
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the thread that builds OpenAPI documents exited with ${code}`)));
  });
}

/** Changes whenever a document of built-in kinds may: with the schemas and with this code. */
function fingerprint(version: string): string {
  const hash = createHash("sha512").update(version).update(schemasVersion());
  const here = dirname(fileURLToPath(import.meta.url));
  for (const name of readdirSync(here).sort()) {
    if (name.endsWith(".js") && !name.endsWith(".test.js")) hash.update(readFileSync(`${here}/${name}`));
  }
  return hash.digest("hex");
}

/** The documents of the definitions of the moment: another array when they have changed. version is what info.version says. */
export function createOpenApi({
  definitions,
  version = "v1.33.0",
}: {
  definitions: () => readonly ResourceDefinition[];
  version?: string;
}): OpenApi {
  let known: string | undefined;
  const fingerprintOnce = (): string => {
    known ??= fingerprint(version);
    return known;
  };
  const documents = new Map<string, Document>();
  let building: Promise<unknown> = Promise.resolve();

  let servedBy: readonly ResourceDefinition[] | undefined;
  let catalogue = new Catalogue([]);

  /** What there is now. */
  function current(): Catalogue {
    const now = definitions();
    if (now !== servedBy) {
      catalogue = new Catalogue(now, catalogue);
      servedBy = now;
      for (const name of documents.keys()) {
        if (name.startsWith(V3) && !catalogue.has(name.slice(V3.length))) documents.delete(name);
      }
    }
    return catalogue;
  }

  /** One document is built at a time, so that their garbage does not add up. */
  function documentOf(
    name: string,
    { contentType, tag, make }: { contentType: string; tag: string; make: () => Promise<Buffer> },
  ): Document {
    const hash = createHash("sha512").update(`${fingerprintOnce()} ${name} ${tag}`).digest("hex");
    const etag = hash.slice(0, 64).toUpperCase();
    const known = documents.get(name);
    if (known?.etag === etag) return known;
    let bytes: Promise<Buffer> | undefined;
    const document: Document = {
      contentType,
      etag,
      gzipped() {
        if (!bytes) {
          bytes = building.then(make);
          building = bytes.catch(() => undefined);
          bytes.catch(() => {
            bytes = undefined;
          });
        }
        return bytes;
      },
    };
    documents.set(name, document);
    return document;
  }

  function v2Of(form: "v2" | "v2-proto", now: Catalogue): Document {
    const contentType = form === "v2" ? JSON_TYPE : PROTO_V2_TYPE;
    const make = () => build({ form, version, ...now.contentOf(EVERYTHING) });
    return documentOf(form, { contentType, tag: now.tagOf(EVERYTHING), make });
  }

  function v3Of(key: string, now: Catalogue): Document {
    const make = () => build({ form: "v3", version, ...now.contentOf(key) });
    return documentOf(`${V3}${key}`, { contentType: JSON_TYPE, tag: now.tagOf(key), make });
  }

  function indexOf(now: Catalogue): Document {
    const make = async () => {
      const entries = now.groupVersions.map((key) => {
        return [key, { serverRelativeURL: `/openapi/v3/${key}?hash=${v3Of(key, now).etag}` }] as const;
      });
      return gzipSync(JSON.stringify({ paths: Object.fromEntries(entries) }));
    };
    const tag = now.groupVersions.map((key) => now.tagOf(key)).join();
    return documentOf("v3", { contentType: JSON_TYPE, tag, make });
  }

  function find(path: string, accept: string): Document | undefined {
    const now = current();
    if (path === "/openapi/v3") return indexOf(now);
    if (path === "/openapi/v2") {
      return v2Of(/proto-openapi\.spec\.v2[@.]v1\.0\+protobuf/.test(accept) ? "v2-proto" : "v2", now);
    }
    const key = path.startsWith("/openapi/v3/") ? path.slice("/openapi/v3/".length) : "";
    return now.has(key) ? v3Of(key, now) : undefined;
  }

  return {
    async handle(
      requestUrl,
      accept = "",
      { acceptEncoding = "", ifNoneMatch } = {},
    ): Promise<OpenApiResponse | undefined> {
      const [path = "", query = ""] = requestUrl.split("?");
      const document = find(path.replace(/\/$/, ""), accept);
      if (!document) return undefined;
      const acceptable =
        accept === "" || /\*\/\*|application\/(\*|json)/.test(accept) || document.contentType === PROTO_V2_TYPE;
      if (!acceptable) return { status: 406, headers: {}, body: Buffer.alloc(0) };
      const hash = new URLSearchParams(query).get("hash") ?? "";
      const hashed = hash === document.etag;
      // The document has changed since its address was told.
      if (hash !== "" && !hashed && path !== "/openapi/v2") {
        const location = { location: `${path}?hash=${document.etag}` };
        return { status: 301, headers: location, body: Buffer.alloc(0) };
      }
      const headers = {
        etag: `"${document.etag}"`,
        vary: "Accept, Accept-Encoding",
        "cache-control": hashed ? "public, immutable" : "no-cache, private",
        ...(hashed ? { expires: new Date(Date.now() + 365 * 86_400_000).toUTCString() } : {}),
      };
      if (ifNoneMatch?.includes(`"${document.etag}"`)) return { status: 304, headers, body: Buffer.alloc(0) };
      const gzipped = await document.gzipped();
      const compressed = /\bgzip\b/.test(acceptEncoding);
      return {
        status: 200,
        headers: {
          ...headers,
          "content-type": document.contentType,
          ...(compressed ? { "content-encoding": "gzip" } : {}),
        },
        body: compressed ? gzipped : await promisify(gunzip)(gzipped),
      };
    },
  };
}
