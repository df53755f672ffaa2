// Kubeconfigs as kubectl writes them.

import { test } from "tap";
import { parseKubeconfig } from "./kubeconfig.js";

const text = `
apiVersion: v1
kind: Config
current-context: a
contexts:
- name: a
  context: {cluster: c, user: u, namespace: dev}
- name: b
  context: {cluster: none, user: u}
clusters:
- name: c
  cluster: {server: "https://1.2.3.4:6443/", certificate-authority-data: ${Buffer.from("CA").toString("base64")}}
users:
- name: u
  user: {client-certificate: pki/c.crt, client-key: /k.key, tokenFile: t}
`;

test("the current context, with relative files beside the kubeconfig", async (t) => {
  t.strictSame(parseKubeconfig(text, { source: "f", directory: "/etc/k" }), {
    server: "https://1.2.3.4:6443",
    ca: { pem: "CA" },
    cert: { file: "/etc/k/pki/c.crt" },
    key: { file: "/k.key" },
    tokenFile: "/etc/k/t",
    namespace: "dev",
  });
  const bad = (context: string) => () => parseKubeconfig(text, { source: "f", directory: "/", context });
  t.throws(bad("b"), { name: "ConfigError", message: 'f: cluster "none" does not exist' });
  t.throws(bad("z"), { name: "ConfigError", message: 'f: context "z" does not exist' });
});
