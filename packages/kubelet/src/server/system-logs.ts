// /logs/: the node's /var/log as a file server, as Go's http.FileServer shows it. Never leads out of that directory.

import { createReadStream } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { Readable } from "node:stream";
import { ServerError } from "./container-lookup.js";

export type SystemLog =
  | { readonly kind: "listing"; readonly html: string }
  | { readonly kind: "file"; readonly sizeBytes: number; readonly content: Readable }
  | { readonly kind: "redirect"; readonly location: string };

const notFound = () => new ServerError(404, "404 page not found");
const escaped = (text: string) =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&#34;")
    .replaceAll("'", "&#39;");

/** What stands at a path below root; path is decoded and begins with a slash. Throws a ServerError. */
export async function systemLog(root: string, path: string): Promise<SystemLog> {
  const base = await realpath(root).catch(() => undefined);
  const found = base && (await realpath(join(base, path)).catch(() => undefined));
  // Links inside may lead anywhere: only what they lead to counts.
  if (!base || !found || relative(base, found).split("/")[0] === "..") throw notFound();
  const info = await stat(found);
  if (info.isFile())
    return {
      kind: "file",
      sizeBytes: info.size,
      content: info.size === 0 ? Readable.from([]) : createReadStream(found, { end: info.size - 1 }),
    };
  if (!info.isDirectory()) throw notFound();
  if (!path.endsWith("/")) return { kind: "redirect", location: `${path.split("/").at(-1)}/` };
  const entries = await readdir(found, { withFileTypes: true });
  const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
  const lines = names.map(
    (name) => `<a href="${encodeURI(name).replaceAll("?", "%3F").replaceAll("#", "%23")}">${escaped(name)}</a>\n`,
  );
  return {
    kind: "listing",
    html: `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${lines.join("")}</pre>\n`,
  };
}
