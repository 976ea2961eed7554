import { SignedOut, createSession } from "./tower-bearer/index.js";

const session = createSession();
const at = (id) => document.getElementById(id);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const EXPIRED = 4401;
const MOMENT = 2000;

/** Shows the last lines of a connection. */
function show(id, line) {
  const lines = at(id).textContent.split("\n").filter(Boolean);
  at(id).textContent = [...lines, line].slice(-8).join("\n");
}

/** Talks over one socket until it closes, and returns the code. */
async function talk() {
  // A token that is about to expire is not worth a connection.
  const token = await session.token({ atLeast: 1000 });
  const { session: own } = session.state;
  const socket = new WebSocket(new URL("api/socket", location.href.replace(/^http/, "ws")));
  socket.onopen = () => socket.send(token);
  socket.onmessage = ({ data }) => show("socket", data);
  // The next user must not see what goes on here, nor send this token.
  const stop = session.subscribe(() => session.state.session !== own && socket.close());
  const { code } = await new Promise((done) => (socket.onclose = done));
  stop();
  show("socket", `closed: ${code}`);
  return code;
}

/** Reads one event stream to its end. */
async function read() {
  const response = await session.fetch("api/feed");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let chunk; !(chunk = await reader.read()).done; ) {
    for (const [, line] of chunk.value.matchAll(/^data: (.*)$/gm)) show("feed", line);
  }
  show("feed", "ended");
}

/**
 * Opens a connection again and again: at once where its token has expired, after a pause where something failed. A
 * token that is refused at once would be refused again, so the next one is fetched.
 */
async function keep(open) {
  for (;;) {
    const since = Date.now();
    try {
      const code = await open();
      if (code === EXPIRED && Date.now() - since > MOMENT) continue;
      if (code === EXPIRED) await session.resume();
    } catch (error) {
      if (error instanceof SignedOut) return;
    }
    await pause(1000 + 1000 * Math.random());
  }
}

let running = null;
let shown = null;
session.subscribe(() => {
  const { status, reason, session: id } = session.state;
  if (id !== shown) at("socket").textContent = at("feed").textContent = "";
  shown = id;
  at("status").textContent = reason ? `${status}: ${reason}` : status;
  at("sign-in").hidden = status !== "out";
  at("sign-out").hidden = status !== "in";
  if (status !== "in" || running) return;
  const socket = keep(talk);
  const feed = keep(async () => (await read(), EXPIRED));
  running = Promise.all([socket, feed]).then(() => (running = null));
});

at("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  session.signIn(Object.fromEntries(new FormData(event.target))).catch((error) => {
    at("status").textContent = error.message;
  });
});
at("sign-out").addEventListener("click", () => session.signOut());
session.resume().catch(() => {});
