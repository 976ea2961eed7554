// The published package: its size, its files, its types, and what an import does.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = new URL("..", import.meta.url).pathname;
const options = { cwd: root, timeout: 60_000 };

test("importing and making a session does nothing, and keeps no process alive", async () => {
  const script = `
    const before = Object.keys(globalThis).join();
    const { createSession } = await import("tower-bearer");
    const session = createSession({ base: "/auth", onEvent: () => {} });
    session.subscribe(() => {});
    if (session.state.status !== "unknown" || Object.keys(globalThis).join() !== before) throw new Error("an effect");
    await session.resume().catch(({ message }) => console.log(message));
    await session.fetch("/api").catch(({ message }) => console.log(message));
    console.log(process.getActiveResourcesInfo().filter((kind) => /Time|Message/.test(kind)).join());
  `;
  const began = Date.now();
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], options);
  const refusal = "A session needs a page.";
  assert.deepEqual(stdout.split("\n").filter(Boolean), [refusal, refusal]);
  assert.ok(Date.now() - began < 20_000);
});

test("the package has its scripts, declarations, licences and README, and nothing else", async () => {
  const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], options);
  const [{ files }] = JSON.parse(stdout.slice(stdout.search(/^\[/m)));
  const sources = (await readdir(join(root, "src"))).filter((name) => name.endsWith(".js"));
  const expected = [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "package.json",
    ...sources.map((name) => `dist/${name}`),
    ...[...sources, "types.ts"].map((name) => `types/${name.replace(/\.[jt]s$/, ".d.ts")}`),
  ];
  assert.deepEqual(files.map(({ path }) => path).sort(), expected.sort());
});

test("version, licence and licence texts are those of the crate", async () => {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const cargo = await readFile(join(root, "../Cargo.toml"), "utf8");
  assert.equal(manifest.version, cargo.match(/^tower-bearer = .*version = "([^"]+)"/m)[1]);
  assert.equal(manifest.license, cargo.match(/^license = "([^"]+)"/m)[1]);
  for (const name of ["LICENSE-APACHE", "LICENSE-MIT"]) {
    const [ours, theirs] = await Promise.all([join(root, name), join(root, "..", name)].map((path) => readFile(path, "utf8")));
    assert.equal(ours, theirs, name);
  }
  assert.equal(manifest.dependencies, undefined);
});

// A consumer's program under `strict`, in the package's place among its dependencies.
const CONSUMER = `
import { Failed, SignedOut, createSession } from "tower-bearer";
import { useSession } from "tower-bearer/react";
import type { Entry, Reason, Session, SessionEvent, State } from "tower-bearer";

const session: Session = createSession({
  base: "/auth",
  api: ["https://api.example"],
  idle: "renew",
  onEvent(event: SessionEvent) {
    if (event.type === "ending") console.log(event.cause, event.at.toFixed());
    if (event.type === "signed-out") console.log(event.reason satisfies Reason);
  },
});
const stop: () => void = session.subscribe(() => {});
const state: State = useSession(session);
const ends: number | null = state.sessionEndsAt;
const profile: { name: string } = await session.json<{ name: string }>("/api/profile");
const response: Response = await session.fetch(new Request("/api"), { signal: AbortSignal.timeout(1) });
const token: string = await session.token({ atLeast: 1 });
const list: Entry[] = await session.sessions();
await session.begin((headers: Headers) => fetch("/auth/passkey", { headers }));
await session.signOut({ everywhere: true }).catch((error: unknown) => {
  if (error instanceof Failed) console.log(error.status.toFixed(), error.code?.length);
  if (error instanceof SignedOut) console.log(error.reason satisfies Reason);
});
// @ts-expect-error The state is the session's own.
session.state = state;
// @ts-expect-error There is no such option.
createSession({ bas: "/auth" });
const unknown: unknown = await session.json("/api");
console.log(ends, profile.name, response.ok, token, list, unknown);
stop();
`;

test("a strict TypeScript program fits the types", async () => {
  const place = await mkdtemp(join(root, ".consumer-"));
  try {
    await writeFile(join(place, "program.ts"), CONSUMER);
    const compilerOptions = {
      strict: true,
      noEmit: true,
      target: "es2022",
      module: "nodenext",
      lib: ["es2022", "dom"],
      types: [],
    };
    await writeFile(join(place, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
    const done = await run(join(root, "node_modules/.bin/tsc"), ["--project", place], options).catch((error) => error);
    assert.equal(done.stdout, "");
    assert.equal(done.code, undefined);
  } finally {
    await rm(place, { recursive: true });
  }
});
