// Answers in YAML. The library is loaded when somebody first asks for it.

import type { ServerResponse } from "node:http";

/** Sends the value as upstream's sigs.k8s.io/yaml writes it: keys sorted, safe for readers of YAML 1.1. */
export async function sendYaml(response: ServerResponse, code: number, value: unknown): Promise<void> {
  const { stringify } = await import("yaml");
  if (response.destroyed || response.headersSent) return;
  const text = Buffer.from(stringify(value, { compat: "yaml-1.1", sortMapEntries: true }));
  response.writeHead(code, {
    "Content-Type": "application/yaml",
    "Cache-Control": "no-cache, private",
    "Content-Length": text.length,
  });
  response.end(text);
}
