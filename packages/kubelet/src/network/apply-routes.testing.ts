// node apply-routes.testing.js QUESTION: plans and applies a node's routes in the network namespace in which it runs, as its
// kubelet does there. QUESTION is a RoutesQuestion without the machine's routes, as JSON. Prints how much it changed.

import { applyRoutes, readHostRoutes } from "./pod-routes.js";
import { planRoutes, type RoutesQuestion } from "./routes-plan.js";

const question = JSON.parse(process.argv[2]!) as Omit<RoutesQuestion, "hostRoutes">;
const plan = planRoutes({ ...question, hostRoutes: await readHostRoutes() });
console.log(JSON.stringify({ changes: await applyRoutes(plan, question), unreachable: plan.unreachable }));
