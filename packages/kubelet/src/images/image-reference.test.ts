// Image names and the credentials that cover them.

import type { Secret } from "@picokube/api/core/v1";
import { test } from "tap";
import { parseImageReference, withDefaultTag } from "./image-reference.js";
import { coversImage, credentialsFor } from "./pull-credentials.js";

const digest = `sha256:${"a".repeat(64)}`;

test("image names", async (t) => {
  t.same(parseImageReference("nginx"), {
    registry: "docker.io",
    repository: "library/nginx",
    tag: undefined,
    digest: undefined,
  });
  t.match(parseImageReference("localhost:5000/team/app:v1"), {
    registry: "localhost:5000",
    repository: "team/app",
    tag: "v1",
  });
  t.match(parseImageReference(`quay.io/a/b@${digest}`), { registry: "quay.io", repository: "a/b", digest });
  const table: [string, string][] = [
    ["nginx", "nginx:latest"],
    ["nginx:1.27", "nginx:1.27"],
    ["localhost:5000/app", "localhost:5000/app:latest"],
    [`nginx@${digest}`, `nginx@${digest}`],
  ];
  for (const [name, expected] of table) t.equal(withDefaultTag(name), expected, name);
  for (const bad of ["", "nginx:", "a b", "nginx:-x", "nginx@sha256:abc", "UPPER/x y", "-x"]) {
    t.throws(() => parseImageReference(bad), /invalid reference format/, bad);
  }
  t.throws(() => parseImageReference("Nginx"), /: repository name \(library\/Nginx\) must be lowercase$/);
  t.throws(() => parseImageReference("r.io/Team/App:v1"), /: repository name \(Team\/App\) must be lowercase$/);
});

test("credentials", async (t) => {
  t.ok(coversImage("https://index.docker.io/v1/", "nginx"));
  t.ok(coversImage("*.example.com", "r.example.com/a"));
  t.ok(coversImage("r.example.com/team", "r.example.com/team/app"));
  t.notOk(coversImage("r.example.com/team", "r.example.com/teams/app"));
  t.notOk(coversImage("example.com", "r.example.com/a"));
  const auths = {
    "r.io": { auth: Buffer.from("u:p:w").toString("base64") },
    "r.io/a": { username: "x", password: "y" },
  };
  const secret = { data: { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })).toString("base64") } };
  t.same(credentialsFor("r.io/a/b", [secret as unknown as Secret]), [
    { username: "x", password: "y", serverAddress: "r.io/a" },
    { username: "u", password: "p:w", serverAddress: "r.io" },
  ]);
});
