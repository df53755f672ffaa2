// Plain HTTPS to one listener, as curl would ask, with or without a client certificate or a token.

import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { SecureVersion } from "node:tls";
import type { TestCluster } from "./cluster.js";

export interface Credentials {
  /** PEM. */
  readonly cert?: string | Buffer;
  /** PEM. */
  readonly key?: string | Buffer;
  readonly token?: string;
}

export interface Reply {
  readonly code: number;
  readonly type: string;
  readonly text: string;
}

/** The administrator's certificate, read from the cluster's PKI. */
export function adminOf(cluster: Pick<TestCluster, "dataDir">): Credentials {
  const read = (file: string) => readFileSync(`${cluster.dataDir}/pki/${file}`);
  return { cert: read("admin.crt"), key: read("admin.key") };
}

/** GETs the URL on a connection of its own; rejects when there is no connection or no handshake. */
export function ask(
  url: string,
  {
    cert,
    key,
    token,
    ca,
    maxVersion,
  }: Credentials & { readonly ca?: string | Buffer; readonly maxVersion?: SecureVersion } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = {
      agent: false,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(cert ? { cert, key } : {}),
      ...(ca ? { ca } : { rejectUnauthorized: false }),
      // Node.js refuses old versions itself unless told otherwise; here the server shall.
      ...(maxVersion ? { minVersion: "TLSv1" as const, maxVersion, ciphers: "DEFAULT:@SECLEVEL=0" } : {}),
    };
    const sent = (url.startsWith("https:") ? httpsRequest : httpRequest)(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () =>
        resolve({ code: response.statusCode ?? 0, type: response.headers["content-type"] ?? "", text }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}
