// Story: a line that was copied wrongly, or is of yesterday, says what is wrong with it, and the machine stays bare.

import type { Test } from "tap";
import type { Machines } from "../harness/machines.js";

export async function wrongLines(t: Test, { first, near, joinWords }: Machines): Promise<void> {
  const bare = await near.state();
  const [verb = "", address = "", , token = "", , hash = ""] = await joinWords();
  const by = (where: string, ofToken: string, ofHash: string) =>
    near.begin(verb, where, "--token", ofToken, "--discovery-token-ca-cert-hash", ofHash);
  await t.rejects(by(address, "nonsense", hash), /"nonsense" was not of the form/);
  await t.rejects(by(address, "zzzzzz.0123456789abcdef", hash), /token id "zzzzzz" is invalid for this cluster/);
  await t.rejects(by(address, `${token.slice(0, -1)}-`, hash), /was not of the form/);
  await t.rejects(by(address, token, `sha256:${"0".repeat(64)}`), /none of the public keys .* are pinned/);
  await t.rejects(by(address, token, "sha256:abc"), /it is "sha256:" and 64 hexadecimal digits/);
  await t.rejects(by(address.replace("https:", "http:"), token, hash), /the API server's address is https:\/\/IP:PORT/);
  await t.rejects(near.begin(verb, address, "--token", token), /without --discovery-token-ca-cert-hash can be unsafe/);
  await t.rejects(near.begin(verb, address), /--token is missing: picokube token create --print-join-command/);
  await t.rejects(by(`https://${first.address}:1`, token, hash), /nothing listens at [\d.]+:1: .*picokube status/);
  const nobody = first.address.replace(/\.\d+$/, ".240");
  await t.rejects(by(`https://${nobody}:6443`, token, hash), /cannot be reached .*: check the address, the route/);
  t.strictSame(await near.state(), bare, "nothing was written and nothing started");

  const made = await first.picokube("token", "create", "--ttl=0", "--description=for the lab", "--usages=signing");
  t.match(made.trim(), /^[a-z0-9]{6}\.[a-z0-9]{16}$/);
  const [header = "", ...rows] = (await first.picokube("token", "list")).trim().split("\n");
  t.match(header, /^TOKEN +TTL +EXPIRES +USAGES +DESCRIPTION +EXTRA GROUPS$/);
  t.match(
    rows.find((row) => row.startsWith(made.trim())),
    /<forever> +<never> +signing +for the lab +system:bootstrappers:kubeadm:default-node-token$/,
  );
  await t.rejects(by(address, made.trim(), hash), /does not take the token .* for authentication: .* lacks that usage/);
  t.match(await first.picokube("token", "delete", made.trim()), /bootstrap token "\w{6}" deleted/);
  await t.rejects(first.picokube("token", "delete", made.trim()), /there is none of that id/);
  await t.rejects(first.picokube("token", "create", "--ttl=soon"), /invalid argument "soon" for "--ttl"/);
  await t.rejects(
    first.picokube("token", "create", "--usages=nothing"),
    /invalid bootstrap token usage string: nothing/,
  );
  t.strictSame(await near.state(), bare);
}
