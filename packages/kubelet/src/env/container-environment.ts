// A container's environment: envFrom, env with its sources, Service variables; upstream's makeEnvironmentVariables.
// Asks the ObjectSource for what is referred to and writes nothing.

import type { Container, EnvVarSource, EphemeralContainer, Pod } from "@picokube/api/core/v1";
import { isNotFound } from "@picokube/api/errors";
import { ContainerConfigError, type ContainerEnvironment, type EnvironmentSources } from "../parts.js";
import { expand } from "./expand.js";
import { podFieldValue, resourceFieldValue } from "./field-ref.js";
import { linkedServices, serviceVariables } from "./service-variables.js";

/** Gets an object; undefined when it may be missing and is. */
async function optionally<T>(get: Promise<T>, optional: boolean | undefined): Promise<T | undefined> {
  try {
    return await get;
  } catch (error) {
    if (optional && isNotFound(error)) return undefined;
    throw new ContainerConfigError((error as Error).message, { cause: error });
  }
}

function secretText(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, "base64").toString("utf8");
}

async function fromSources(
  pod: Pod,
  container: Container | EphemeralContainer,
  { objects }: EnvironmentSources,
): Promise<Map<string, string>> {
  const variables = new Map<string, string>();
  const namespace = pod.metadata.namespace ?? "default";
  for (const { prefix = "", configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef) {
      const found = await optionally(objects.configMap(namespace, configMapRef.name ?? ""), configMapRef.optional);
      for (const [key, value] of Object.entries(found?.data ?? {})) variables.set(prefix + key, value);
    } else if (secretRef) {
      const found = await optionally(objects.secret(namespace, secretRef.name ?? ""), secretRef.optional);
      for (const [key, value] of Object.entries(found?.data ?? {})) variables.set(prefix + key, secretText(value)!);
    }
  }
  return variables;
}

/** The value of one valueFrom; undefined when an optional source is missing. */
async function valueFrom(
  pod: Pod,
  container: Container | EphemeralContainer,
  source: EnvVarSource,
  sources: EnvironmentSources,
): Promise<string | undefined> {
  const namespace = pod.metadata.namespace ?? "default";
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef } = source;
  if (fieldRef) return podFieldValue(pod, fieldRef.fieldPath, sources);
  if (resourceFieldRef) {
    const named = resourceFieldRef.containerName;
    const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
    const subject = named ? all.find(({ name }) => name === named) : container;
    if (!subject) throw new ContainerConfigError(`container ${named} not found`);
    return resourceFieldValue(subject, resourceFieldRef, sources.objects.node());
  }
  const ref = configMapKeyRef ?? secretKeyRef;
  if (!ref) return undefined;
  const name = ref.name ?? "";
  const value = configMapKeyRef
    ? (await optionally(sources.objects.configMap(namespace, name), ref.optional))?.data?.[ref.key]
    : secretText((await optionally(sources.objects.secret(namespace, name), ref.optional))?.data?.[ref.key]);
  if (value === undefined && !ref.optional) {
    const kind = configMapKeyRef ? "ConfigMap" : "Secret";
    throw new ContainerConfigError(`couldn't find key ${ref.key} in ${kind} ${namespace}/${name}`);
  }
  return value;
}

/** NAME=value lines for one container: Service variables first, then envFrom, then env. */
export const containerEnvironment: ContainerEnvironment = async (pod, container, sources) => {
  const services = serviceVariables(
    linkedServices((namespace) => sources.objects.services(namespace), {
      namespace: pod.metadata.namespace ?? "default",
      enableServiceLinks: pod.spec?.enableServiceLinks ?? true,
    }),
  );
  const variables = await fromSources(pod, container, sources);
  for (const { name, value, valueFrom: source } of container.env ?? []) {
    let resolved: string | undefined = value ?? "";
    if (value) {
      resolved = expand(value, (variable) => variables.get(variable) ?? services.get(variable));
    } else if (source) {
      try {
        resolved = await valueFrom(pod, container, source, sources);
      } catch (error) {
        if (error instanceof ContainerConfigError) throw error;
        throw new ContainerConfigError((error as Error).message, { cause: error });
      }
    }
    if (resolved !== undefined) variables.set(name, resolved);
  }
  return [...new Map([...services, ...variables])].map(([name, value]) => `${name}=${value}`);
};
