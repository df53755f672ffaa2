// What every controller is given. Holds no behaviour.

import type { Client } from "@picokube/client/client";
import type { EventRecorder } from "@picokube/client/event-recorder";
import type { InformerFactory } from "@picokube/client/informer";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Metrics } from "@picokube/component-base/metrics";
import type { ControllerManagerValues } from "./options.js";

export interface Dependencies {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where a controller that has metrics of its own registers them. */
  readonly metrics: Metrics;
  readonly options: ControllerManagerValues;
  /** A recorder whose events come from this component: "deployment-controller". */
  recorder(component: string): EventRecorder;
}
