// Breaks the client in the ways below, one at a time, and asks whether a test of it notices. The tests are the table,
// the walks, and the unit tests. Each mutant names the text that it replaces, which stands in its file exactly once. A
// change of that text moves the mutant along; one that survives wants a test. `node test/mutants.mjs lock` tries those
// with this word.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MUTANTS = [
  ["an answer after the change of the user is given out", "calls.js", "await until(work(), request.signal, era);\n    era.throwIfAborted();", "await until(work(), request.signal);"],
  ["a body after the change of the user is given out", "calls.js", "await until(response.json(), era);\n      era.throwIfAborted();", "await response.json();"],
  ["no lock", "wait.js", "    try {\n      here.navigator.locks", "    return run();\n    try {\n      here.navigator.locks"],
  ["a lock without a time-out", "wait.js", "sleep(here, limit, wait.signal, life).then(run, noop);", ""],
  ["no message to other tabs", "session.js", "channel?.postMessage({ type, session: current, ...more });", ""],
  ["no word of a sign-out", "session.js", 'tell("signed-out", { late: kept?.slice(-9), everywhere });', ""],
  ["no word of a sign-in", "session.js", "if (isNew) tell(news);", 'if (isNew && news === "resumed") tell(news);'],
  ["no word of resume()", "session.js", "if (isNew) tell(news);", 'if (isNew && news === "signed-in") tell(news);'],
  ["the token goes to any origin", "calls.js", "if (!origins.includes(origin))", "if (false)"],
  ["another session's token is taken", "session.js", 'if (ok && access && said.session !== access.session) end("other_session");', ""],
  ["a refresh does not wait for a sign-out", "session.js", "if (exit.waiting) await exit.say();", ""],
  ["the answer to an older sign-out signs the next user's tab out", "leaving.js", "} else settle();", "}\n      settle();"],
  ["a cookie that scripts see late is not waited for", "ask.js", "if (!cookie()) await sleep(here, 99, life);", ""],
  ["a tab repeats the sign-out of another at once", "session.js", "hold = { age: stopwatch(here), wait: PATIENCE };", ""],
  ["news of the session that ends here is believed", "session.js", "if (exit.waiting?.session === session) wake();\n      else if", "if"],
  ["a sign-out is not sent again", "leaving.js", "if (self.waiting && !life.aborted) again(0);", "self.waiting = null;"],
  ["a late sign-out has the next session's CSRF token", "leaving.js", "server.change(path, { keepalive: true }, kept);\n    if", "server.change(path, { keepalive: true });\n    if"],
  ["a sign-out from everywhere has it", "leaving.js", 'server.change("/logout-all", { keepalive: true }, kept);', 'server.change("/logout-all", { keepalive: true });'],
  ["a sign-out from everywhere goes on as the next user", "session.js", "        signal.throwIfAborted();\n        const said", "        const said"],
  ["another tab sends a sign-out from everywhere as a plain one", "session.js", "{ kept, session, everywhere };", "{ kept, session };"],
  ["a remembered sign-out from everywhere does not refresh", "leaving.js", 'await send("/refresh");', ""],
  ["a sign-in drops a sign-out that waits", "session.js", "if (was && was === exit.waiting) await exit.say().catch(noop);", ""],
  ["a sign-out is lost with the keys", "leaving.js", "if (session ? now.said.session === session : isSame)", "if (false)"],
  ["a sign-out without a token of its session is lost", "leaving.js", 'self.waiting.kept ??= "late";', "self.waiting = null;"],
  ["an older sign-out makes the others forget theirs", "session.js", 'if (type === "left" && exit.waiting?.session === session)', 'if (type === "left")'],
  ["a sign-in is sent as another user", "session.js", "(before ? signal : disposed).throwIfAborted()", "disposed.throwIfAborted()"],
  ["a sign-in is sent after dispose()", "session.js", "(before ? signal : disposed).throwIfAborted()", "before && signal.throwIfAborted()"],
  ["a lost answer of a sign-in is not asked about", "session.js", "if (error.status === 0) access ? look() : wake();", ""],
  ["a hint of no session beside a session stays", "session.js", "if (isStale()) inTurn", "if (false) inTurn"],
  ["the hint is believed against a sign-in", "session.js", 'if (!current && server.hint() === "v1a")', 'if (server.hint() === "v1a")'],
  ["a page without a channel does not look", "session.js", 'server.hint() === "v1s" && server.cookie() !== shunned', "false"],
  ["a page without a channel looks each time", "session.js", " && server.cookie() !== shunned", ""],
  ["an outage costs four requests a round", "session.js", "wake(problem ? 1 : ATTEMPTS)", "wake()"],
  ["Retry-After is measured by a timer alone", "session.js", "hold && hold.age() < hold.wait", "hold?.wait"],
  ["a date in Retry-After is the page's", "pace.js", '(Date.parse(headers.get("Date")) || now)', "now"],
  ["the idle end is named where the other comes", "pace.js", "isIdle: end < (whole ?? Infinity)", "isIdle: unused !== null"],
  ["each call refreshes at an API that refuses every token", "calls.js", "vain.age() < FLOOR", "false"],
  ["the referrer of the caller is lost", "calls.js", "signal, referrer, referrerPolicy })", "signal })"],
  ["a password follows a redirect", "ask.js", 'redirect: "error",', ""],
  ["an API may be a path", "places.js", "url.href !== `${url.origin}/` || ", ""],
  ["another user's 404 revokes", "session.js", "/^40[49]/", "/^409/"],
  ["listeners stay", "wait.js", "for (const signal of signals) signal.removeEventListener", "for (const signal of []) signal.removeEventListener"],
  ["the browser keeps a page with its user", "session.js", "persisted && begun && drop()", "false"],
  ["a page that comes back does not ask", "session.js", "(keepAlive(), look())", "keepAlive()"],
  ["every refresh says that a person is there", "ask.js", 'passive && { "X-Session-Activity": "passive" }', "{}"],
  ["input before the idle end is not told", "pace.js", "const tell = isLast && passive ? 0 : renew;", "const tell = renew;"],
  ["no floor", "pace.js", "export const FLOOR = 30_000;", "export const FLOOR = 1;"],
  ["Retry-After is not honoured", "pace.js", "return Math.min(wait > 0 ? wait : 0, HOUR);", "return 0;"],
  ["a planted CSRF cookie counts", "ask.js", 'named("__Host-csrf=")', "all.filter((pair) => /csrf=/.test(pair))"],
  ["the CSRF token comes from the browser's cache", "ask.js", 'cache: "no-store",', ""],
  ["every 401 costs a refresh", "calls.js", '!/\\berror="?invalid_token\\b/i.test(challenge)', "false"],
  ["the class of the CSRF cookie is not read", "ask.js", 'cookie()?.split(".")[0]', "null"],
  ["disposal leaves the timer", "session.js", "      if (era) drop(disposed.reason);\n", ""],
  ["a refresh has no limit", "ask.js", "const LIMIT = 15_000", "const LIMIT = 1e9"],
];

const here = fileURLToPath(new URL("..", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "client-mutants-"));
const word = process.argv[2] ?? "";
const survivors = [];
let tried = 0;

cpSync(here, copy, { recursive: true, filter: (path) => !path.includes("node_modules") });
const TESTS = ["table", "session", "leaving", "calls", "races", "walks"];
const broken = TESTS.filter((name) => !passes(name));
if (broken.length > 0) throw new Error(`these fail without any mutant: ${broken}`);
for (const [what, file, from, to] of MUTANTS.filter(([what]) => what.includes(word))) {
  const path = join(copy, "src", file);
  const text = readFileSync(path, "utf8");
  if (text.split(from).length !== 2) {
    survivors.push(`${what}: its text does not stand in ${file} once`);
    continue;
  }
  writeFileSync(path, text.replace(from, () => to));
  const noticed = TESTS.find((name) => !passes(name));
  writeFileSync(path, text);
  tried += 1;
  console.log(`${what}: ${noticed ? `noticed by ${noticed}.test.mjs` : "NOT NOTICED"}`);
  if (!noticed) survivors.push(what);
}
rmSync(copy, { recursive: true });
console.log(`${tried} mutants tried, ${survivors.length} survive`);
for (const survivor of survivors) console.log(`  ${survivor}`);
process.exitCode = survivors.length > 0 ? 1 : 0;

/** Whether the tests of this name pass. One that takes minutes has a client that hangs, and is ended. */
function passes(name) {
  const env = { ...process.env, WALKS: "300", FAILURES: "1" };
  const { status } = spawnSync(process.execPath, [`test/${name}.test.mjs`], {
    cwd: copy,
    env,
    stdio: "ignore",
    timeout: 100_000,
    killSignal: "SIGKILL",
  });
  return status === 0;
}
