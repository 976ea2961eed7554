// Work that the server does for a user who has typed the password recently. Where it is too long ago, the page asks for
// it again.

import { $, button, input } from "./dom.js";
import { Failed, SignedOut, session, stepUp } from "./session.js";

/**
 * Runs `work`. Where the server wants a more recent authentication, asks for the password and runs it once more.
 * Rejects like `work`, and with `Failed` when the user does not type the password.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function recently(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Failed && error.code === "insufficient_user_authentication")) throw error;
  }
  if (await askAgain()) return work();
  const { reason } = session.state;
  throw reason ? new SignedOut(reason) : new Failed(0, "Nothing was done: it needs your password.");
}

/** Whether the password was typed, and was right. */
async function askAgain() {
  const [box, form, field, said] = [dialog(), $("again-form"), input("again-password"), $("again-status")];
  const [go, cancel] = [button("again-button"), button("again-cancel")];
  const close = () => box.close("");
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    go.disabled = true;
    said.textContent = "";
    try {
      await stepUp(field.value);
      box.close("right");
    } catch (error) {
      // A user who is signed out has nothing to confirm.
      if (error instanceof SignedOut) close();
      said.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      go.disabled = false;
    }
  };
  form.addEventListener("submit", submit);
  cancel.addEventListener("click", close);
  box.returnValue = "";
  box.showModal();
  await new Promise((closed) => box.addEventListener("close", closed, { once: true }));
  form.removeEventListener("submit", submit);
  cancel.removeEventListener("click", close);
  field.value = "";
  said.textContent = "";
  return box.returnValue === "right";
}

/** Takes the question off the page: its user is gone. */
export function forgetQuestion() {
  dialog().close("");
}

function dialog() {
  const element = $("again");
  if (!(element instanceof HTMLDialogElement)) throw new Error("again is no dialog");
  return element;
}
