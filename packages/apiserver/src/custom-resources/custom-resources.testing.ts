// What the tests of custom resources share: a server that has been asked to serve CronTabs, and how it is asked.

import type { Resource } from "@picokube/api/resource";
import { startApiServer, type TestApiServer, type TestWithTeardown } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { type Answer, type Asked, asker } from "../testing/asker.js";
import { type crdOf, GROUP } from "../testing/custom-resource-definitions.js";

export const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
export const API = `/apis/${GROUP}/v1`;
export const COLLECTION = `${API}/namespaces/default/crontabs`;

export const cronTabs: Resource = {
  group: GROUP,
  version: "v1",
  kind: "CronTab",
  resource: "crontabs",
  singular: "crontab",
  namespaced: true,
  shortNames: [],
  categories: [],
};

export const cronTab = (name: string, spec: object = {}, rest: object = {}) => ({
  apiVersion: `${GROUP}/v1`,
  kind: "CronTab",
  metadata: { name },
  spec: { cronSpec: "* * * * */5", ...spec },
  ...rest,
});

export const messageOf = ({ json }: Answer): string => json.message;

/** The condition of that type of a CustomResourceDefinition. */
export const condition = (crd: Answer["json"], type: string) =>
  crd.status?.conditions?.find((each: { type: string }) => each.type === type);

export interface CustomResourceTest {
  readonly server: TestApiServer;
  ask(asked: Asked): Promise<Answer>;
  /** Resolves to the definition once it is established. */
  established(name: string): Promise<Answer["json"]>;
  /** Creates a definition; resolves once it is established. */
  declare(crd: ReturnType<typeof crdOf>): Promise<Answer["json"]>;
  /** POSTs a CronTab. */
  create(body: object, query?: string): Promise<Answer>;
}

/** A server of the test's own. */
export async function customResourceTest(t: TestWithTeardown): Promise<CustomResourceTest> {
  const server = await startApiServer(t, { startTimeoutMs: 60_000 });
  const ask = asker(t, server);
  const established = (name: string) =>
    eventually(`${name} is established`, async () => {
      const { json } = await ask({ path: `${CRDS}/${name}` });
      return condition(json, "Established")?.status === "True" && json;
    });
  return {
    server,
    ask,
    established,
    async declare(crd) {
      const made = await ask({ method: "POST", path: CRDS, body: crd });
      if (made.status !== 201) throw new Error(messageOf(made));
      return established(crd.metadata.name);
    },
    create: (body, query = "") => ask({ method: "POST", path: `${COLLECTION}${query}`, body }),
  };
}
