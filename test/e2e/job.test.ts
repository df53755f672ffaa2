import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { useCluster } from "./harness/cluster.js";
import { useNamespace } from "./harness/namespace.js";

const job = (name: string, script: string, spec = "") => `
apiVersion: batch/v1
kind: Job
metadata: {name: ${name}}
spec:
  ${spec}
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      containers:
      - {name: main, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, ${JSON.stringify(script)}]}
`;

test("D5 a job: runs to its end, is counted, described, cleaned up", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  const complete = (name: string) => kubectl.run(["wait", `job/${name}`, "--for=condition=Complete", "--timeout=90s"]);
  const field = (name: string, path: string) => kubectl.run(["get", "job", name, "-o", `jsonpath={${path}}`]);

  await kubectl.run(["create", "job", "hello", "--image=busybox", "--", "echo", "it has run"]);
  await complete("hello");
  t.equal(await kubectl.run(["logs", "job/hello"]), "it has run\n");
  t.match(
    await kubectl.run(["get", "job", "hello"]),
    /^NAME +STATUS +COMPLETIONS +DURATION +AGE\nhello +Complete +1\/1 +\d+s +\d+s\n$/,
  );
  const described = await kubectl.run(["describe", "job", "hello"]);
  t.match(described, /Pods Statuses: +0 Active(?: \(0 Ready\))? \/ 1 Succeeded \/ 0 Failed/);
  t.match(described, /Normal +SuccessfulCreate +\S+ +job-controller +Created pod: hello-\w{5}\n/);
  t.match(described, /Normal +Completed +\S+ +job-controller +Job completed\n/);
  const [pod] = (await kubectl.json(["get", "pods", "-l", "job-name=hello"])).items;
  t.equal(pod.metadata.finalizers, undefined);

  const indexed = "completions: 5\n  parallelism: 2\n  completionMode: Indexed";
  await kubectl.apply(job("indexed", "echo $JOB_COMPLETION_INDEX on $(hostname)", indexed));
  await complete("indexed");
  t.equal(await field("indexed", ".status.completedIndexes"), "0-4");
  for (const index of ["0", "4"]) {
    const selector = `job-name=indexed,batch.kubernetes.io/job-completion-index=${index}`;
    t.equal(await kubectl.run(["logs", "-l", selector]), `${index} on indexed-${index}\n`);
  }

  await kubectl.apply(job("failing", "exit 3", "backoffLimit: 0"));
  await kubectl.run(["wait", "job/failing", "--for=condition=Failed", "--timeout=90s"]);
  t.equal(await field("failing", ".status.conditions[*].type"), "FailureTarget Failed");
  t.equal(await field("failing", ".status.conditions[1].reason"), "BackoffLimitExceeded");
  t.equal(await field("failing", ".status.failed"), "1");

  await kubectl.apply(job("late", "sleep 600", "activeDeadlineSeconds: 3"));
  await kubectl.run(["wait", "job/late", "--for=condition=Failed", "--timeout=90s"]);
  t.equal(await field("late", ".status.conditions[1].reason"), "DeadlineExceeded");

  await kubectl.apply(job("waiting", "echo resumed", "suspend: true"));
  await kubectl.run(["wait", "job/waiting", "--for=condition=Suspended", "--timeout=90s"]);
  t.strictSame((await kubectl.json(["get", "pods", "-l", "job-name=waiting"])).items, []);
  await kubectl.run(["patch", "job", "waiting", "-p", '{"spec":{"suspend":false}}']);
  await complete("waiting");
  t.equal(await kubectl.run(["logs", "job/waiting"]), "resumed\n");

  await kubectl.apply(job("brief", "true", "ttlSecondsAfterFinished: 1"));
  await eventually("it and its pods are gone when its time is over", async () => {
    const { code } = await kubectl.attempt(["get", "job", "brief"]);
    return code !== 0 && (await kubectl.json(["get", "pods", "-l", "job-name=brief"])).items.length === 0;
  });

  await kubectl.run(["delete", "job", "hello", "indexed"]);
  await eventually("pods go with their job", async () => {
    const left = (await kubectl.json(["get", "pods", "-l", "job-name in (hello,indexed)"])).items;
    return left.length === 0;
  });
});

test("D5 a cron job: by its schedule, by hand, suspended", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  const create = ["create", "cronjob", "tick", "--image=busybox", "--schedule=* * * * *", "--", "date"];
  t.equal(await kubectl.run(create), "cronjob.batch/tick created\n");
  const refused = await kubectl.attempt(["create", "cronjob", "bad", "--image=busybox", "--schedule=* * * *"]);
  t.match(refused.stderr, /spec\.schedule: Invalid value: "\* \* \* \*": expected exactly 5 fields, found 4/);

  await kubectl.run(["create", "job", "by-hand", "--from=cronjob/tick"]);
  await kubectl.run(["wait", "job/by-hand", "--for=condition=Complete", "--timeout=90s"]);
  const byHand = await kubectl.json(["get", "job", "by-hand"]);
  t.equal(byHand.metadata.annotations["cronjob.kubernetes.io/instantiate"], "manual");

  // A minute passes at most.
  const scheduled = await eventually(
    "a job of its schedule",
    async () => {
      const { items } = await kubectl.json(["get", "jobs"]);
      return items.find(({ metadata }: { metadata: { name: string } }) => /^tick-\d{8}$/.test(metadata.name)) ?? false;
    },
    120_000,
  );
  await kubectl.run(["wait", `job/${scheduled.metadata.name}`, "--for=condition=Complete", "--timeout=90s"]);
  await eventually("its success is remembered", async () => {
    const { status } = await kubectl.json(["get", "cronjob", "tick"]);
    return status.lastSuccessfulTime !== undefined && status.lastScheduleTime !== undefined;
  });
  await kubectl.run(["patch", "cronjob", "tick", "-p", '{"spec":{"suspend":true}}']);
  t.match(
    await kubectl.run(["get", "cronjob", "tick"]),
    /^NAME +SCHEDULE +TIMEZONE +SUSPEND +ACTIVE +LAST SCHEDULE +AGE\ntick +\* \* \* \* \* +<none> +True +\d /,
  );
  const described = await kubectl.run(["describe", "cronjob", "tick"]);
  t.match(described, new RegExp(`SuccessfulCreate +.*cronjob-controller +Created job ${scheduled.metadata.name}`));
  await kubectl.run(["delete", "cronjob", "tick"]);
  await eventually("its jobs go with it", async () => {
    const { items } = await kubectl.json(["get", "jobs"]);
    return items.every(({ metadata }: { metadata: { name: string } }) => !metadata.name.startsWith("tick-"));
  });
});
