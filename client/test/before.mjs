// Shows that the tests of the table are worth something: each fails with the session module of commit 9f553fc.

import { run } from "node:test";
import { fileURLToPath } from "node:url";

import { COMMIT, isThere } from "./world/before.mjs";

if (!isThere()) {
  console.error(`commit ${COMMIT} is not in this clone: fetch the whole history`);
  process.exit(2);
}
process.env.CLIENT = "before";
const failed = [];
const passed = [];
const events = run({ files: [fileURLToPath(new URL("table.test.mjs", import.meta.url))] });
const note = (list) => (event) => {
  if (event.name.startsWith("row ")) list.push(event);
};
events.on("test:fail", note(failed));
events.on("test:pass", note(passed));
for await (const _ of events);
for (const { name, details } of failed) {
  const [why] = (details.error.cause?.message ?? details.error.message).split("\n");
  console.log(`fails, as it should: ${name}\n  (${why})`);
}
for (const { name } of passed) console.log(`PASSES, and proves nothing: ${name}`);
console.log(`${failed.length} of ${failed.length + passed.length} tests fail with ${COMMIT}`);
process.exitCode = failed.length > 0 && passed.length === 0 ? 0 : 1;
