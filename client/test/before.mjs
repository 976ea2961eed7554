// Shows that the tests of the table are worth something: each fails with the session module of commit 9f553fc.

import { run } from "node:test";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";

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
const odd = [];
for (const { name, details } of failed) {
  const cause = details.error.cause ?? details.error;
  const [why] = (cause.message ?? inspect(cause)).split("\n");
  // The test's assertion, or the old module's own refusal. An error of the adapter, or of what it lacks, would prove
  // nothing. Row 19 is that the old module cannot be imported without a page.
  const isProof = !/is not a function|is not defined|Cannot (read|destructure)/.test(why) || name.startsWith("row 19");
  if (!isProof) odd.push(name);
  console.log(`${isProof ? "fails, as it should" : "FAILS BY THE ADAPTER"}: ${name}\n  (${why})`);
}
for (const { name } of passed) console.log(`PASSES, and proves nothing: ${name}`);
// Rows 3 and 21 are the server's: see elsewhere.test.mjs.
const rows = new Set([...failed, ...passed].map(({ name }) => Number(name.match(/^row (\d+)/)[1])));
const missing = Array.from({ length: 21 }, (_, at) => at + 1).filter((row) => !rows.has(row) && row !== 3 && row !== 21);
if (missing.length > 0) console.log(`rows without a test: ${missing}`);
console.log(`${failed.length} of ${failed.length + passed.length} tests fail with ${COMMIT}`);
process.exitCode = failed.length > 0 && passed.length + odd.length + missing.length === 0 ? 0 : 1;
