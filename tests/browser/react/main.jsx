import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { createSession } from "tower-bearer";
import { useSession } from "tower-bearer/react";

// Once, outside of components.
const session = createSession();

function SignIn({ reason }) {
  const [problem, setProblem] = useState("");
  const signIn = (form) =>
    session.signIn(Object.fromEntries(form)).catch((error) => setProblem(error.message));
  return (
    <form action={signIn}>
      <p id="reason">{reason}</p>
      <input name="user" />
      <button id="sign-in">Sign in</button>
      <p role="alert">{problem}</p>
    </form>
  );
}

// How often it was put up and taken down: a renewal does neither.
let mounted = 0;

function Profile() {
  const [user, setUser] = useState("");
  useEffect(() => {
    mounted += 1;
    session.json("/api/me").then((me) => setUser(me.user), () => {});
  }, []);
  return (
    <>
      <p id="user">{user}</p>
      <button id="renew" onClick={() => session.resume()}>Renew</button>
      <button id="sign-out" onClick={() => session.signOut()}>Sign out</button>
    </>
  );
}

let drawn = 0;

function App() {
  const { status, reason, renewing } = useSession(session);
  drawn += 1;
  document.documentElement.dataset.status = status;
  if (status === "unknown") return <p>One moment.</p>;
  return (
    <>
      <p id="renewing">{renewing && "renewing"}</p>
      {status === "in" ? <Profile /> : <SignIn reason={reason} />}
    </>
  );
}

window.counts = () => ({ mounted, drawn });
createRoot(document.getElementById("root")).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
session.resume().catch(() => {});
