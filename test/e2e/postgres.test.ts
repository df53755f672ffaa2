import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { useCluster } from "./harness/cluster.js";
import { useNamespace } from "./harness/namespace.js";

test("C1 F3 postgres runs, takes writes, and answers another pod by its Service's name", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  await kubectl.run([
    "run",
    "test-db",
    "--image=postgres",
    "--env=POSTGRES_PASSWORD=secret",
    "--port=5432",
    "--expose",
  ]);
  await kubectl.run([
    "run",
    "client",
    "--image=postgres",
    "--env=PGPASSWORD=secret",
    "--command",
    "--",
    "sleep",
    "3600",
  ]);
  await kubectl.run(["wait", "pod", "--all", "--for=condition=Ready", "--timeout=90s"]);
  const sql = (statement: string) =>
    kubectl.run(["exec", "client", "--", "psql", "-h", `test-db.${namespace}`, "-U", "postgres", "-qAtc", statement]);
  await eventually("the database accepts connections", async () => (await sql("select 1")).trim() === "1");
  await sql(
    "create table notes (id serial primary key, text text); insert into notes (text) values ('hello'), ('world')",
  );
  t.equal(await sql("select string_agg(text, ' ' order by id) from notes"), "hello world\n");
  t.match(await kubectl.run(["logs", "test-db"]), /database system is ready to accept connections/);

  // The official image's own complaint, and what a learner sees of it.
  await kubectl.run(["run", "no-password", "--image=postgres", "--restart=Never"]);
  await eventually(
    "it has failed",
    async () => (await kubectl.json(["get", "pod", "no-password"])).status.phase === "Failed",
  );
  t.match(await kubectl.run(["logs", "no-password"]), /superuser password is not specified/);
});
