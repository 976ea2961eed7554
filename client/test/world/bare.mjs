// A server that renders pages imports the client, and goes on without it.

const isBefore = process.env.CLIENT === "before";
const createSession = isBefore
  ? (await import("./before.mjs")).create.bind(null, globalThis)
  : (await import("../../src/index.js")).createSession;
const session = createSession({});
const { status } = session.state;
if (status !== "unknown") throw new Error(status);
session.subscribe(() => {})();
// A call has nothing to talk to, and says so.
await session.resume().catch(() => {});
session.dispose();
