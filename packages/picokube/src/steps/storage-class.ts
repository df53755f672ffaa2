// The default StorageClass: claims that name none get a directory on the node of their first pod. A cluster's owner may
// change or unmark it; a later `up` leaves what it finds.

import { isAlreadyExists } from "@picokube/api/errors";
import { localPathProvisioner } from "@picokube/api/storage/local-path";
import { storageclasses } from "@picokube/api/storage/v1";
import type { Client } from "@picokube/client/client";

const name = "local-path";

/** Creates it when no class has the name. */
export async function ensureStorageClass(client: Client): Promise<void> {
  const storageClass = {
    metadata: { name, annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: localPathProvisioner,
    reclaimPolicy: "Delete" as const,
    volumeBindingMode: "WaitForFirstConsumer" as const,
  };
  await client.create(storageclasses, storageClass).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
}
