// Tokens as Secrets and as rows.

import { formatBootstrapToken, generateBootstrapToken, parseBootstrapToken } from "@picokube/pki/bootstrap-token";
import { parseCaCertHash } from "@picokube/pki/ca-hash";
import { test } from "tap";
import { tokenRow } from "../commands/token.js";
import { type TokenRecord, tokenDefaults, tokenRecord, tokenSecret } from "./token-secret.js";

const nowMs = Date.parse("2026-11-21T12:00:00Z");
const record: TokenRecord = {
  token: { id: "abcdef", secret: "0123456789abcdef" },
  description: "for the lab",
  expiresMs: Date.parse("2026-11-22T11:00:00Z"),
  usages: ["authentication", "signing"],
  groups: [...tokenDefaults.groups],
};

test("a record survives its Secret", (t) => {
  const secret = tokenSecret(record);
  t.match(secret, {
    metadata: { name: "bootstrap-token-abcdef", namespace: "kube-system" },
    type: "bootstrap.kubernetes.io/token",
  });
  const data = secret.data as Record<string, string>;
  const text = (key: string) => Buffer.from(data[key]!, "base64").toString();
  t.equal(text("expiration"), "2026-11-22T11:00:00Z");
  t.equal(text("usage-bootstrap-signing"), "true");
  t.equal(text("auth-extra-groups"), "system:bootstrappers:kubeadm:default-node-token");
  t.same(tokenRecord(secret as never), record);
  t.equal(tokenRecord({ data: {} } as never), undefined);
  t.throws(
    () => tokenSecret({ ...record, usages: ["signing", "all"] }),
    /invalid bootstrap token usage string: all, valid/,
  );
  t.throws(() => tokenSecret({ ...record, groups: ["admins"] }), /bootstrap group "admins" is invalid \(must match/);
  t.end();
});

test("rows are kubeadm's", (t) => {
  t.same(tokenRow(record, nowMs), {
    cells: [
      "abcdef.0123456789abcdef",
      "23h",
      "2026-11-22T11:00:00Z",
      "authentication,signing",
      "for the lab",
      "system:bootstrappers:kubeadm:default-node-token",
    ],
    isGood: true,
  });
  const bare = { ...record, description: "", expiresMs: undefined, usages: [], groups: [] };
  t.same(tokenRow(bare, nowMs).cells.slice(1), ["<forever>", "<never>", "<none>", "<none>", "<none>"]);
  const ended = tokenRow({ ...record, expiresMs: nowMs - 60_000 }, nowMs);
  t.same([ended.cells[1], ended.isGood], ["<invalid>", false]);
  t.end();
});

test("texts that are no tokens and no fingerprints", (t) => {
  const token = generateBootstrapToken();
  t.same(parseBootstrapToken(formatBootstrapToken(token)), token);
  for (const text of ["", "abcdef", "abcdef.short", "ABCDEF.0123456789abcdef", "abcdef.0123456789abcdef "])
    t.throws(() => parseBootstrapToken(text), /was not of the form/, text);
  t.equal(parseCaCertHash(`sha256:${"AB".repeat(32)}`), `sha256:${"ab".repeat(32)}`);
  t.throws(() => parseCaCertHash("ab".repeat(32)), /expected "format:hex-value"/);
  t.throws(() => parseCaCertHash("sha256:ab"), /64 hexadecimal digits/);
  t.throws(() => parseCaCertHash(`md5:${"ab".repeat(32)}`), /64 hexadecimal digits/);
  t.end();
});
