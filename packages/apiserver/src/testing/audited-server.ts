// An apiserver that records everything, and a way to ask it that also brings what the audit log says of the request.
// Paths and headers go out as they stand: nothing is made tidy on the way.

import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import type { Test } from "tap";
import type { AuditEvent } from "../audit/audit-event.js";

export interface Attack {
  /** The path of a certificate without its ending, or PEM. */
  readonly certificate?: string | { readonly cert: string; readonly key: string };
  readonly token?: string;
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: object;
}

export interface Outcome {
  readonly code: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever the server answers
  readonly json: any;
  /** The event of its end. */
  readonly audited: AuditEvent;
}

export interface AuditedServer {
  readonly server: TestApiServer;
  /** Of the apiserver's PKI. */
  file(name: string): string;
  attack(attack: Attack): Promise<Outcome>;
}

/** Starts it; everything is recorded at level Metadata. */
export async function startAuditedServer(t: Test, flags: readonly string[] = []): Promise<AuditedServer> {
  const directory = mkdtempSync(join(tmpdir(), "attacks-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const [policy, log] = [join(directory, "policy.json"), join(directory, "audit.log")];
  const rules = [{ level: "Metadata", omitStages: ["RequestReceived"] }];
  writeFileSync(policy, JSON.stringify({ apiVersion: "audit.k8s.io/v1", kind: "Policy", rules }));
  const audit = [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`];
  const server = await startApiServer(t, { flags: [...audit, ...flags] });
  const file = (name: string) => readFileSync(join(server.pkiDirectory, name), "utf8");

  const identity = ({ certificate }: Attack) => {
    if (certificate === undefined) return {};
    if (typeof certificate !== "string") return certificate;
    return { cert: file(`${certificate}.crt`), key: file(`${certificate}.key`) };
  };

  function send(attack: Attack, auditId: string): Promise<{ code: number; text: string }> {
    const { token, method = "GET", path = "/api/v1/namespaces/default/secrets", body } = attack;
    return new Promise((resolve, reject) => {
      const asked = request({
        host: "127.0.0.1",
        port: Number(new URL(server.url).port),
        agent: false,
        ca: file("ca.crt"),
        ...identity(attack),
        method,
        path,
        headers: {
          "content-type": "application/json",
          "audit-id": auditId,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...attack.headers,
        },
      });
      asked.on("error", reject);
      asked.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("error", reject);
        response.on("end", () => resolve({ code: response.statusCode ?? 0, text }));
      });
      asked.end(body && JSON.stringify(body));
    });
  }

  async function eventOf(auditId: string): Promise<AuditEvent> {
    for (;;) {
      const line = readFileSync(log, "utf8")
        .split("\n")
        .find((text) => text.includes(auditId) && text.includes('"stage":"ResponseComplete"'));
      if (line) return JSON.parse(line) as AuditEvent;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  return {
    server,
    file,
    async attack(attack) {
      const auditId = randomUUID();
      const { code, text } = await send(attack, auditId);
      return { code, json: text.startsWith("{") ? JSON.parse(text) : text, audited: await eventOf(auditId) };
    },
  };
}
