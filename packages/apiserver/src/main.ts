// kube-apiserver: wires store, cache, authentication, authorisation, admission and handlers together. Decides nothing.

import { ConfigError } from "@picokube/component-base/config-error";
import { runCommand } from "@picokube/component-base/flags";
import { flags } from "./options.js";
import { runApiServer } from "./run.js";

await runCommand({
  name: "kube-apiserver",
  description:
    "The Kubernetes API server validates and configures data for the api objects which include pods, services, replicationcontrollers, and others. The API Server services REST operations and provides the frontend to the cluster's shared state through which all other components interact.",
  flags,
  run: (values, context) => {
    if (values.etcdServers.length > 0) {
      throw new ConfigError(
        "--etcd-servers: the etcd driver is not part of this build; leave it out to use the embedded store in --data-dir",
      );
    }
    return runApiServer(values, context);
  },
});
