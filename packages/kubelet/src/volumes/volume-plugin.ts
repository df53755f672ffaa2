// What a kind of volume is to the volume manager. Types only.

import type { Pod, Volume } from "@picokube/api/core/v1";
import type { Client } from "@picokube/client/client";
import type { Clock } from "@picokube/component-base/clock";
import type { ObjectSource } from "../parts.js";
import type { ServiceAccountTokens } from "./service-account-tokens.js";

export interface VolumeSources {
  readonly objects: ObjectSource;
  readonly client: Client;
  readonly tokens: ServiceAccountTokens;
  readonly clock: Clock;
  /** Where this node keeps the directories of provisioned volumes. */
  readonly localRoot: string;
}

export interface VolumeContext {
  readonly pod: Pod;
  readonly volume: Volume;
  /** <root-dir>/pods/<uid>/volumes */
  readonly volumesDir: string;
  readonly sources: VolumeSources;
  readonly signal: AbortSignal;
}

export interface VolumePlugin {
  /** The field of a Volume that names its kind. */
  readonly field: keyof Volume;
  /** Makes the volume usable, idempotently, and returns its path on the host. Errors carry upstream's words. */
  setUp(context: VolumeContext): Promise<string>;
  /** Whether its content follows the API's objects while the pod runs. */
  readonly refreshes: boolean;
}
